public import KeyoverCore

/// Reads one record and proves it: the sealed root, the high-water mark, the path up the tree, the seals.
///
/// One reader serves one transaction. The same code serves the front, which speaks SQLite's C interface, and the file
/// vault, which speaks GRDB.
public struct VaultReader<Rows: VaultRows> {
    /// Where the rows come from.
    public let rows: Rows
    let keyring: Keyring
    let sealing: RecordSealing
    /// The state of the vault within this transaction.
    public let root: SealedRoot

    /// Opens the sealed root and refuses a state older than one seen before.
    public init(
        _ rows: Rows, _ keyring: Keyring, notOlderThan mark: VaultMark?, codec: RecordCodec = .standard
    ) throws(VaultError) {
        self.rows = rows
        self.keyring = keyring
        sealing = RecordSealing(keyring, codec: codec)
        guard let row = try rows.vault() else { throw VaultError.tampered("the database has no root") }
        root = try SealedRoot(row, keyring)
        if let mark, root.mark < mark {
            throw VaultError(
                .notTrusted, "the vault is older than it was (\(root.mark), but \(mark) was seen on this host)",
                remedy: "put the newest copy of the vault's folder back, restore the newest backup, or accept what is "
                    + "there: keyover vault restore --accept-older")
        }
    }

    /// The record of a name, or `nil`: that there is none is proven as well.
    public func read<Record: VaultRecord>(_ name: Name<Record>) throws(VaultError) -> Versioned<Record>? {
        guard let row = try proven(sealing.lookup(name)).row else { return nil }
        return Versioned(try sealing.open(row, as: Record.self), revision(row.serial))
    }

    /// A row that a ``RecordScan`` has taken, as a record.
    public func open<Record: VaultRecord>(
        _ row: RecordRow, as type: Record.Type
    ) throws(VaultError) -> Versioned<Record> {
        Versioned(try sealing.open(row, as: type), revision(row.serial))
    }

    /// What the consumers of a client have reported, ordered by consumer; that none is missing is proven as well.
    public func ledger(of client: ClientName) throws(VaultError) -> [LedgerEntry] {
        let lookup = sealing.lookup(client)
        let ledger = LedgerSealing(keyring)
        var entries: [LedgerEntry] = []
        for row in try self.ledger(lookup, provenBy: try path(.ledger, lookup)) { entries.append(try ledger.open(row)) }
        return entries.sorted { $0.consumer < $1.consumer }
    }

    /// The rows of a client's ledger, as the path vouches for them.
    func ledger(_ client: [UInt8], provenBy path: TreePath) throws(VaultError) -> [LedgerRow] {
        let ledger = LedgerSealing(keyring)
        let rows = try rows.ledger(of: client)
        guard
            rows.map({ TreeItem(key: client + $0.consumer, leaf: $0.leaf) })
                == path.items.filter({ $0.key.starts(with: client) }), rows.allSatisfy(ledger.isConsistent)
        else { throw VaultError.tampered("the ledger of a client is not the one that was stored last") }
        return rows
    }

    /// The row under a look-up hash with its payload, and the path that proves it.
    func proven(_ lookup: [UInt8]) throws(VaultError) -> (row: RecordRow?, path: TreePath) {
        let path = try path(.records, lookup)
        guard let row = try rows.record(lookup) else {
            guard path.leaf(of: lookup) == nil else { throw VaultError.tampered("a record is missing") }
            return (nil, path)
        }
        guard row.lookup == lookup, path.leaf(of: lookup) == row.leaf, sealing.isConsistent(row) else {
            throw VaultError.tampered("a record is not the one that was stored last")
        }
        return (row, path)
    }

    /// The path of a key, checked up to the sealed root.
    func path(_ kind: HashTree.Kind, _ key: [UInt8]) throws(VaultError) -> TreePath {
        let tree = HashTree(kind, key: keyring.treeKey)
        let first = [key[0], key[1]] + [UInt8](repeating: 0, count: 30)
        let last = [key[0], key[1]] + [UInt8](repeating: .max, count: 30)
        guard let rootHash = root.hashes[kind],
            let path = TreePath(
                tree, key: key, items: try rows.items(of: kind, from: first, through: last),
                middle: try node(kind.position(ofMiddle: key[0])), root: try node(kind.position(ofMiddle: nil)),
                rootHash: rootHash)
        else { throw VaultError.tampered("a hash of the tree is not the one above it") }
        return path
    }

    /// The mark of a record's version: never used twice, since neither epoch nor counter ever is.
    func revision(_ serial: UInt64) -> Revision {
        Revision("\(root.mark.epoch).\(serial)")
    }

    private func node(_ position: Int64) throws(VaultError) -> TreeNode {
        guard let node = TreeNode(bytes: try rows.node(at: position) ?? []) else {
            throw VaultError.tampered("a node of the tree is malformed")
        }
        return node
    }
}

public import KeyoverCore

/// Rows that can be changed, within a transaction that holds the database's write lock.
public protocol MutableVaultRows: VaultRows {
    /// Replaces the row of the table `vault`.
    func put(_ row: VaultRow) throws(VaultError)
    /// Stores a record's row in place of the one under the same look-up hash.
    func put(_ row: RecordRow) throws(VaultError)
    /// Removes the record under a look-up hash.
    func removeRecord(_ lookup: [UInt8]) throws(VaultError)
    /// Stores a ledger entry's row in place of the one of the same client and consumer.
    func put(_ row: LedgerRow) throws(VaultError)
    /// Removes a ledger entry.
    func removeLedgerEntry(client: [UInt8], consumer: [UInt8]) throws(VaultError)
    /// Removes all nodes of both trees.
    func removeNodes() throws(VaultError)
    /// Stores a node; one without children is removed.
    func put(_ node: TreeNode, at position: Int64) throws(VaultError)
}

/// Makes one change within one transaction: proves the path it replaces, then seals the new root.
///
/// Nothing is durable before the transaction is.
public struct VaultWriter<Rows: MutableVaultRows> {
    private let rows: Rows
    private let reader: VaultReader<Rows>
    private var root: SealedRoot
    private var hasChanged = false

    /// The state that the database is in after the change, or still is in when nothing changed.
    public var mark: VaultMark { hasChanged ? root.mark : reader.root.mark }

    /// A writer that continues from the database's state.
    public init(
        _ rows: Rows, _ keyring: Keyring, notOlderThan mark: VaultMark?, codec: RecordCodec = .standard
    ) throws(VaultError) {
        self.rows = rows
        reader = try VaultReader(rows, keyring, notOlderThan: mark, codec: codec)
        root = reader.root.advanced()
    }

    /// Fills an empty database.
    public static func initialize(_ rows: Rows, _ keyring: Keyring) throws(VaultError) {
        try rows.put(
            SealedRoot.empty(keyring, at: VaultMark(epoch: keyring.epoch, counter: 0)).sealed(keyring))
    }

    /// Stores a record when its revision is the expected one.
    public mutating func write<Record: VaultRecord>(
        _ record: Record, expecting revision: Revision?
    ) throws(VaultError) -> Revision {
        var (present, path) = try reader.proven(reader.sealing.lookup(record.name))
        try expect(revision, present, record.name)
        if let present {
            try reader.sealing.checkMayReplace(present, Record.self)
        } else {
            root.records += 1
        }
        let row = try reader.sealing.seal(record, serial: root.mark.counter)
        try rows.put(row)
        path.set(row.leaf, for: row.lookup)
        try commit(path)
        return reader.revision(root.mark.counter)
    }

    /// Removes a record when its revision is the expected one; a client's ledger goes with it.
    public mutating func delete<Record: VaultRecord>(
        _ name: Name<Record>, expecting revision: Revision
    ) throws(VaultError) {
        let lookup = reader.sealing.lookup(name)
        var (present, path) = try reader.proven(lookup)
        try expect(revision, present, name)
        var ledgerPath = try reader.path(.ledger, lookup)
        for entry in try reader.ledger(lookup, provenBy: ledgerPath) {
            try rows.removeLedgerEntry(client: lookup, consumer: entry.consumer)
            ledgerPath.set(nil, for: lookup + entry.consumer)
            root.ledgerEntries -= 1
        }
        try rows.removeRecord(lookup)
        root.records -= 1
        path.set(nil, for: lookup)
        try commit(path, ledgerPath)
    }

    /// Merges a consumer's report into the ledger; a report that says nothing new changes nothing.
    public mutating func acknowledge(_ entry: LedgerEntry, of client: ClientName) throws(VaultError) {
        let ledger = LedgerSealing(reader.keyring)
        let lookup = reader.sealing.lookup(client)
        guard try reader.proven(lookup).row != nil else {
            throw VaultError(.invalid, "there is no client \(client)", remedy: "run keyover client list")
        }
        let consumer = ledger.hash(entry.consumer, of: lookup)
        var path = try reader.path(.ledger, lookup)
        var merged = entry
        if let row = try reader.ledger(lookup, provenBy: path).first(where: { $0.consumer == consumer }) {
            let known = try ledger.open(row)
            merged = known.merged(with: entry)
            if merged == known { return }
        } else {
            root.ledgerEntries += 1
        }
        let row = try ledger.seal(merged, client: lookup, serial: root.mark.counter)
        try rows.put(row)
        path.set(row.leaf, for: lookup + consumer)
        try commit(path)
    }

    /// Forgets a consumer of a client; nothing happens when it is not there.
    public mutating func forget(_ consumer: ConsumerName, of client: ClientName) throws(VaultError) {
        let lookup = reader.sealing.lookup(client)
        let hash = LedgerSealing(reader.keyring).hash(consumer, of: lookup)
        var path = try reader.path(.ledger, lookup)
        guard path.leaf(of: lookup + hash) != nil else { return }
        try rows.removeLedgerEntry(client: lookup, consumer: hash)
        root.ledgerEntries -= 1
        path.set(nil, for: lookup + hash)
        try commit(path)
    }

    private func expect<Record: VaultRecord>(
        _ revision: Revision?, _ present: RecordRow?, _ name: Name<Record>
    ) throws(VaultError) {
        guard revision == present.map({ reader.revision($0.serial) }) else {
            throw VaultError(
                .conflict, "\(Record.kind) \(name) was changed meanwhile", remedy: "run the command again",
                isRetryable: true)
        }
    }

    private mutating func commit(_ paths: TreePath...) throws(VaultError) {
        // Removing a record would take no key but those that were granted for looking.
        _ = try reader.keyring.requireValueSide(for: "changes")
        for path in paths {
            try rows.put(path.middle, at: path.tree.kind.position(ofMiddle: path.bucket.0))
            try rows.put(path.root, at: path.tree.kind.position(ofMiddle: nil))
            root.hashes[path.tree.kind] = path.rootHash
        }
        try rows.put(root.sealed(reader.keyring))
        hasChanged = true
    }
}

public import KeyoverCore

/// Seals a whole vault anew under the keys of a later epoch, within one transaction.
///
/// Nothing is carried over that the old keys do not vouch for: the caller has checked everything (``VaultCheck``) in the
/// same transaction before, and checks the result with the new keys before it commits.
public struct VaultRenewal<Rows: MutableVaultRows> {
    private let rows: Rows
    private let reader: VaultReader<Rows>
    private let keyring: Keyring

    /// A renewal of the vault that a reader has opened.
    public init(_ rows: Rows, _ reader: VaultReader<Rows>, to keyring: Keyring) {
        self.rows = rows
        self.reader = reader
        self.keyring = keyring
    }

    /// Seals every record and every ledger entry anew; clients are marked when the vault was restored.
    public func run(marking restoration: Restoration? = nil) throws(VaultError) -> VaultMark {
        let mark = VaultMark(epoch: keyring.epoch, counter: reader.root.mark.counter + 1)
        let sealing = RecordSealing(keyring)
        for item in try rows.items(of: .records, from: VaultRoots.first, through: VaultRoots.last) {
            guard let row = try rows.record(item.key), row.leaf == item.leaf else {
                throw VaultError.tampered("a record is missing")
            }
            switch (restoration, row.kind) {
            case (let restoration?, ClientRecord.kind):
                try rows.put(sealing.seal(marked(row, restoration) as ClientRecord, serial: mark.counter))
            case (let restoration?, TenantRecord.kind):
                try rows.put(sealing.seal(marked(row, restoration) as TenantRecord, serial: mark.counter))
            default: try rows.put(reader.sealing.reseal(row, with: sealing))
            }
        }
        try renewLedger()
        return try VaultRoots.plant(rows, keyring, at: mark)
    }

    private func marked<Record: RestorableRecord>(
        _ row: RecordRow, _ restoration: Restoration
    ) throws(VaultError) -> Record {
        try reader.sealing.checkMayReplace(row, Record.self)
        var record = try reader.sealing.open(row, as: Record.self)
        record.mark(restoration)
        return record
    }

    private func renewLedger() throws(VaultError) {
        let (old, new) = (LedgerSealing(reader.keyring), LedgerSealing(keyring))
        var clients: [[UInt8]] = []
        for item in try rows.items(of: .ledger, from: VaultRoots.first, through: VaultRoots.last) {
            let client = Array(item.key.prefix(32))
            if clients.last != client { clients.append(client) }
        }
        for client in clients {
            for row in try rows.ledger(of: client) {
                try rows.put(new.seal(old.open(row), client: client, serial: row.serial))
            }
        }
    }
}

/// Builds both trees over rows that are in place, and seals their roots.
public enum VaultRoots {
    static let first = [UInt8](repeating: 0, count: 32)
    static let last = [UInt8](repeating: .max, count: 32)

    /// Replaces all nodes and the row of the table `vault`; the answer is the mark that the vault is at then.
    @discardableResult
    public static func plant(
        _ rows: some MutableVaultRows, _ keyring: Keyring, at mark: VaultMark
    ) throws(VaultError) -> VaultMark {
        var root = SealedRoot.empty(keyring, at: mark)
        try rows.removeNodes()
        for kind in HashTree.Kind.allCases {
            let tree = HashTree(kind, key: keyring.treeKey)
            var builder = TreeBuilder(tree)
            for item in try rows.items(of: kind, from: first, through: last) { builder.add(item) }
            let node = builder.finish()
            for (index, middle) in builder.middles { try rows.put(middle, at: kind.position(ofMiddle: index)) }
            try rows.put(node, at: kind.position(ofMiddle: nil))
            root.hashes[kind] = tree.hash(root: node)
            switch kind {
            case .records: root.records = builder.count
            case .ledger: root.ledgerEntries = builder.count
            }
        }
        try rows.put(root.sealed(keyring))
        return mark
    }
}

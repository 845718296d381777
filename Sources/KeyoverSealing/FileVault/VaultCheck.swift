import KeyoverCore

/// Checks everything in a vault and lists what is wrong, for `vault verify`.
public struct VaultCheck {
    private static let problemLimit = 100

    private let sealing: RecordSealing
    private let ledger: LedgerSealing
    private let root: SealedRoot
    private let treeKey: SecretValue
    private var recordTree: TreeBuilder
    private var ledgerTree: TreeBuilder
    private var clients: Set<[UInt8]> = []
    /// What is wrong, in the order it was found, at most a hundred things.
    public private(set) var problems: [String] = []
    /// How many records were checked.
    public private(set) var records = 0
    /// How many ledger entries were checked.
    public private(set) var ledgerEntries = 0
    /// Whether values were opened as well.
    public let checkedValues: Bool

    /// A check of the vault that a reader has opened.
    public init<Rows>(_ reader: VaultReader<Rows>) {
        sealing = reader.sealing
        ledger = LedgerSealing(reader.keyring)
        root = reader.root
        treeKey = reader.keyring.treeKey
        recordTree = TreeBuilder(HashTree(.records, key: treeKey))
        ledgerTree = TreeBuilder(HashTree(.ledger, key: treeKey))
        checkedValues = reader.keyring.opensValues
    }

    /// Takes the next record, in the order of look-up hashes, with its payload.
    public mutating func add(_ row: RecordRow) {
        records += 1
        guard row.lookup.count == 32 else { return report("record \(records) has a malformed look-up hash") }
        clients.insert(row.lookup)
        recordTree.add(TreeItem(key: row.lookup, leaf: row.leaf))
        guard sealing.isConsistent(row) else { return report("record \(records) is not what its hash vouches for") }
        do {
            try sealing.checkOpens(row)
        } catch {
            report("record \(records): \(error.message)")
        }
        if row.serial > root.mark.counter { report("record \(records) is newer than the vault") }
    }

    /// Takes the next ledger entry, in the order of client and consumer.
    public mutating func add(_ row: LedgerRow) {
        ledgerEntries += 1
        guard row.client.count == 32, row.consumer.count == 32 else {
            return report("ledger entry \(ledgerEntries) has a malformed hash")
        }
        ledgerTree.add(TreeItem(key: row.client + row.consumer, leaf: row.leaf))
        guard ledger.isConsistent(row), (try? ledger.open(row)) != nil else {
            return report("ledger entry \(ledgerEntries) is not what its hash vouches for")
        }
        if !clients.contains(row.client) { report("ledger entry \(ledgerEntries) belongs to no client") }
    }

    /// Compares the trees of all that was taken with the stored nodes and the sealed root.
    public mutating func finish(storedNodes: [Int64: [UInt8]]) {
        compare(recordTree, .records, count: root.records, "records", storedNodes)
        compare(ledgerTree, .ledger, count: root.ledgerEntries, "ledger entries", storedNodes)
    }

    private mutating func compare(
        _ builder: TreeBuilder, _ kind: HashTree.Kind, count: UInt64, _ what: String, _ stored: [Int64: [UInt8]]
    ) {
        var builder = builder
        let node = builder.finish()
        let hash = HashTree(kind, key: treeKey).hash(root: node)
        if builder.count != count { report("there are \(builder.count) \(what), and the root vouches for \(count)") }
        if root.hashes[kind] != hash { report("the \(what) are not the ones that the root vouches for") }
        var expected = builder.middles.reduce(into: [Int64: [UInt8]]()) {
            $0[kind.position(ofMiddle: $1.key)] = $1.value.bytes
        }
        if !node.isEmpty { expected[kind.position(ofMiddle: nil)] = node.bytes }
        let first = kind.position(ofMiddle: nil)
        let present = stored.filter { (first..<first + 512).contains($0.key) }
        if present != expected { report("the stored hashes of the \(what) are not those of the \(what)") }
    }

    private mutating func report(_ problem: String) {
        if problems.count < Self.problemLimit { problems.append(problem) }
    }
}

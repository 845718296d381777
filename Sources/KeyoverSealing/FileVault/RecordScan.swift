public import KeyoverCore

/// Checks all rows of a table against the sealed root while they pass by, in the order of their keys.
///
/// What passed may be used only after ``finish()`` returned: until then a row may be missing or too many.
public struct RecordScan {
    private let sealing: RecordSealing
    private let root: SealedRoot
    private let tree: HashTree
    private var builder: TreeBuilder

    /// A scan of all records of the vault that a reader has opened.
    public init<Rows>(_ reader: VaultReader<Rows>) {
        sealing = reader.sealing
        root = reader.root
        tree = HashTree(.records, key: reader.keyring.treeKey)
        builder = TreeBuilder(tree)
    }

    /// Takes the next row, with or without its payload.
    public mutating func add(_ row: RecordRow) throws(VaultError) {
        guard row.lookup.count == 32, sealing.isConsistent(row) else {
            throw VaultError.tampered("a record is not the one that was stored last")
        }
        builder.add(TreeItem(key: row.lookup, leaf: row.leaf))
    }

    /// Compares the tree of all rows with the sealed root.
    public mutating func finish() throws(VaultError) {
        let hash = tree.hash(root: builder.finish())
        guard builder.count == root.records, root.hashes[.records] == hash else {
            throw VaultError.tampered("a record is missing, added or older than the others")
        }
    }
}

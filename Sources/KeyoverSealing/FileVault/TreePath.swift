/// One bucket of a tree with the way up to the root, as checked against the sealed root.
struct TreePath {
    let tree: HashTree
    let bucket: (UInt8, UInt8)
    private(set) var items: [TreeItem]
    private(set) var middle: TreeNode
    private(set) var root: TreeNode

    /// The path of a key, or `nil` when any hash on it is not the one above it.
    init?(
        _ tree: HashTree, key: [UInt8], items: [TreeItem], middle: TreeNode, root: TreeNode, rootHash: [UInt8]
    ) {
        self.tree = tree
        bucket = (key[0], key[1])
        (self.items, self.middle, self.root) = (items, middle, root)
        guard Primitives.areEqual(tree.hash(root: root), rootHash),
            root[bucket.0] == tree.hash(middle: bucket.0, middle),
            middle[bucket.1] == tree.hash(bucket: bucket, items)
        else { return nil }
    }

    /// The leaf under a key, if there is one.
    func leaf(of key: [UInt8]) -> [UInt8]? {
        items.first { $0.key == key }?.leaf
    }

    /// Puts a leaf under a key, or takes it away; all hashes up to the root follow.
    mutating func set(_ leaf: [UInt8]?, for key: [UInt8]) {
        items.removeAll { $0.key == key }
        if let leaf {
            let index = items.firstIndex { key.lexicographicallyPrecedes($0.key) } ?? items.endIndex
            items.insert(TreeItem(key: key, leaf: leaf), at: index)
        }
        middle[bucket.1] = tree.hash(bucket: bucket, items)
        root[bucket.0] = tree.hash(middle: bucket.0, middle)
    }

    /// The hash of the root.
    var rootHash: [UInt8] { tree.hash(root: root) }
}

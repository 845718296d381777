import KeyoverConformance
import KeyoverCore
import Testing

@testable import KeyoverSealing

@Suite struct HashTreeTests {
    private let tree = HashTree(.records, key: SecretValue(copying: [UInt8](repeating: 5, count: 32)))

    /// The stored nodes of a tree that is changed path by path, beside what it ought to hold.
    private struct Model {
        let tree: HashTree
        var items: [[UInt8]: [UInt8]] = [:]
        var middles: [UInt8: TreeNode] = [:]
        var root = TreeNode()

        var rootHash: [UInt8] { tree.hash(root: root) }

        func path(_ key: [UInt8]) -> TreePath? {
            let bucket = items.filter { $0.key.starts(with: key[..<2]) }
                .sorted { $0.key.lexicographicallyPrecedes($1.key) }
            return TreePath(
                tree, key: key, items: bucket.map { TreeItem(key: $0.key, leaf: $0.value) },
                middle: middles[key[0]] ?? TreeNode(), root: root, rootHash: rootHash)
        }

        mutating func set(_ leaf: [UInt8]?, for key: [UInt8]) -> Bool {
            guard var path = path(key) else { return false }
            path.set(leaf, for: key)
            items[key] = leaf
            middles[key[0]] = path.middle.isEmpty ? nil : path.middle
            root = path.root
            return path.rootHash == rootHash
        }
    }

    /// Keys crowded into few buckets, so that they meet.
    private func key(_ generator: inout some RandomNumberGenerator) -> [UInt8] {
        [UInt8.random(in: 0...2, using: &generator), UInt8.random(in: 254...255, using: &generator)]
            + (0..<30).map { _ in UInt8.random(in: 0...1, using: &generator) }
    }

    @Test func changesPathByPathGiveTheTreeOfAllItems() throws {
        var generator = SystemRandomNumberGenerator()
        var model = Model(tree: tree)
        for _ in 0..<400 {
            let key =
                Bool.random(using: &generator) ? model.items.keys.randomElement() ?? key(&generator) : key(&generator)
            let leaf = Int.random(in: 0..<3, using: &generator) == 0 ? nil : Primitives.randomBytes(32)
            let fits = model.set(leaf, for: key)
            try #require(fits)
            var builder = TreeBuilder(tree)
            for (key, leaf) in model.items.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                builder.add(TreeItem(key: key, leaf: leaf))
            }
            #expect(builder.finish() == model.root)
            #expect(builder.middles == model.middles)
            #expect(builder.count == UInt64(model.items.count))
        }
        for key in model.items.keys {
            let fits = model.set(nil, for: key)
            try #require(fits)
        }
        #expect(model.root.isEmpty && model.middles.isEmpty)
        #expect(model.rootHash == tree.hash(root: TreeNode()))
    }

    @Test func aPathWithAnythingChangedIsRefused() throws {
        var generator = SystemRandomNumberGenerator()
        var model = Model(tree: tree)
        for _ in 0..<20 {
            let fits = model.set(Primitives.randomBytes(32), for: key(&generator))
            try #require(fits)
        }
        let key = try #require(model.items.keys.first)
        #expect(model.path(key)?.leaf(of: key) == model.items[key])

        var harmed = model
        harmed.items[key] = Primitives.randomBytes(32)
        #expect(harmed.path(key) == nil, "a leaf")
        harmed = model
        harmed.items[key] = nil
        #expect(harmed.path(key) == nil, "a missing item")
        harmed = model
        harmed.items[Array(key.dropLast()) + [9]] = Primitives.randomBytes(32)
        #expect(harmed.path(key) == nil, "an item too many")
        harmed = model
        harmed.middles[key[0]] = nil
        #expect(harmed.path(key) == nil, "a missing node")
        harmed = model
        harmed.middles[key[0]]?[7] = Primitives.randomBytes(32)
        #expect(harmed.path(key) == nil, "a node with a child too many")
        let path = try #require(model.path(key))
        #expect(
            TreePath(
                tree, key: key, items: path.items, middle: path.middle, root: path.root,
                rootHash: Primitives.randomBytes(32)) == nil, "another root")
        let other = HashTree(.ledger, key: SecretValue(copying: [UInt8](repeating: 5, count: 32)))
        #expect(
            TreePath(
                other, key: key, items: path.items, middle: path.middle, root: path.root,
                rootHash: other.hash(root: path.root)) == nil, "another tree")
    }

    @Test func nodesHaveOneStoredForm() {
        var node = TreeNode()
        let hash = [UInt8](repeating: 1, count: 32)
        for position in [UInt8(9), 0, 255, 9, 4] { node[position] = hash }
        #expect(stride(from: 0, to: node.bytes.count, by: 33).map { node.bytes[$0] } == [0, 4, 9, 255])
        #expect(TreeNode(bytes: node.bytes) == node)
        node[9] = nil
        #expect(node[9] == nil && node[4] == hash)
        #expect(TreeNode(bytes: [0]) == nil)
        #expect(TreeNode(bytes: [1] + hash + [1] + hash) == nil)
        #expect(TreeNode(bytes: [2] + hash + [1] + hash) == nil)
    }
}

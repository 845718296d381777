import Crypto
import FoundationEssentials
import KeyoverCore

/// A thing that the tree vouches for: under which key it lies, and the keyed hash of all that it says.
public struct TreeItem: Equatable, Sendable {
    /// 32 or 64 bytes, of which the first two choose the bucket.
    public let key: [UInt8]
    /// The keyed hash of the thing's content (32 bytes).
    public let leaf: [UInt8]

    /// An item with its leaf hash.
    public init(key: [UInt8], leaf: [UInt8]) {
        self.key = key
        self.leaf = leaf
    }
}

/// The children of a node: pairs of position (1 byte) and hash (32 bytes) in ascending order, absent ones left out.
public struct TreeNode: Equatable, Sendable {
    private static let width = 33

    /// The stored form.
    public private(set) var bytes: [UInt8]

    /// A node without children.
    public init() {
        bytes = []
    }

    /// Reads the stored form; `nil` unless it is whole and in order.
    public init?(bytes: [UInt8]) {
        guard bytes.count.isMultiple(of: Self.width) else { return nil }
        for index in stride(from: Self.width, to: bytes.count, by: Self.width) {
            guard bytes[index - Self.width] < bytes[index] else { return nil }
        }
        self.bytes = bytes
    }

    /// Whether there are no children.
    public var isEmpty: Bool { bytes.isEmpty }

    /// The hash of the child at a position, if there is one.
    public subscript(position: UInt8) -> [UInt8]? {
        get {
            let start = self.start(of: position)
            guard start < bytes.count, bytes[start] == position else { return nil }
            return Array(bytes[start + 1..<start + Self.width])
        }
        set {
            let start = self.start(of: position)
            let exists = start < bytes.count && bytes[start] == position
            bytes.replaceSubrange(
                start..<start + (exists ? Self.width : 0), with: newValue.map { [position] + $0 } ?? [])
        }
    }

    /// Adds a child behind all others.
    mutating func append(_ position: UInt8, _ hash: [UInt8]) {
        bytes.append(position)
        bytes += hash
    }

    private func start(of position: UInt8) -> Int {
        var (low, high) = (0, bytes.count / Self.width)
        while low < high {
            let middle = (low + high) / 2
            if bytes[middle * Self.width] < position { low = middle + 1 } else { high = middle }
        }
        return low * Self.width
    }
}

/// A keyed hash tree of fixed depth over 32-byte hashed keys: root, 256 middle nodes, 65,536 buckets.
///
/// The first byte of a key chooses the middle node, the second one the bucket; look-up hashes are evenly spread, so a
/// bucket holds one or two of 100,000 records, and one path of three hashes proves what a record says, or that there is
/// none. Every hash is HMAC-SHA256 under a key of the epoch, over a transcript that names tree, level and position.
public struct HashTree: Sendable {
    /// The trees of a vault.
    public enum Kind: UInt64, CaseIterable, Sendable {
        /// Over records, by look-up hash.
        case records = 0
        /// Over ledger entries, by look-up hash of the client and hash of the consumer.
        case ledger = 1

        /// Where a node is stored.
        public func position(ofMiddle index: UInt8?) -> Int64 {
            Int64(rawValue) * 512 + (index.map { 256 + Int64($0) } ?? 0)
        }
    }

    /// Which tree it is.
    public let kind: Kind
    private let key: SecretValue

    init(_ kind: Kind, key: SecretValue) {
        self.kind = kind
        self.key = key
    }

    /// The hash of a bucket; `nil` when it is empty.
    func hash(bucket: (UInt8, UInt8), _ items: [TreeItem]) -> [UInt8]? {
        guard !items.isEmpty else { return nil }
        return hash(level: 2, position: UInt64(bucket.0) << 8 | UInt64(bucket.1)) { transcript in
            for item in items {
                transcript.append(item.key)
                transcript.append(item.leaf)
            }
        }
    }

    /// The hash of a middle node; `nil` when it is empty.
    func hash(middle index: UInt8, _ node: TreeNode) -> [UInt8]? {
        node.isEmpty ? nil : hash(level: 1, position: UInt64(index)) { $0.append(node.bytes) }
    }

    /// The hash of the root, which exists even when it is empty.
    func hash(root node: TreeNode) -> [UInt8] {
        hash(level: 0, position: 0) { $0.append(node.bytes) }
    }

    private func hash(level: UInt64, position: UInt64, _ fill: (inout Transcript) -> Void) -> [UInt8] {
        var transcript = Transcript("keyover tree")
        transcript.append(kind.rawValue)
        transcript.append(level)
        transcript.append(position)
        fill(&transcript)
        return Primitives.authenticate(transcript.bytes, with: key)
    }
}

/// Builds the tree of all items, given in the order of their keys; for checking everything.
struct TreeBuilder {
    private let tree: HashTree
    private var bucket: (UInt8, UInt8)?
    private var items: [TreeItem] = []
    private(set) var middles: [UInt8: TreeNode] = [:]
    private(set) var count: UInt64 = 0

    init(_ tree: HashTree) {
        self.tree = tree
    }

    mutating func add(_ item: TreeItem) {
        let next = (item.key[0], item.key[1])
        if let bucket, bucket != next { closeBucket() }
        bucket = next
        items.append(item)
        count += 1
    }

    /// The root of all that was added.
    mutating func finish() -> TreeNode {
        closeBucket()
        var root = TreeNode()
        for (index, node) in middles.sorted(by: { $0.key < $1.key }) {
            if let hash = tree.hash(middle: index, node) { root.append(index, hash) }
        }
        return root
    }

    private mutating func closeBucket() {
        guard let bucket, let hash = tree.hash(bucket: bucket, items) else { return }
        middles[bucket.0, default: TreeNode()].append(bucket.1, hash)
        items = []
    }
}

internal import Yams

/// A YAML document as a tree of texts, lists and mappings, with the place of each.
///
/// Anchors and aliases are refused: with them a few lines stand for millions, and a reader cannot see what applies where.
public struct YAMLNode: Sendable {
    /// What stands at a place.
    public indirect enum Value: Sendable {
        /// Nothing, `~` or `null`.
        case null
        /// A scalar, as it was written, without quotes.
        case text(String)
        /// A list.
        case list([YAMLNode])
        /// Keys with their values, in the order of the file.
        case mapping([Entry])
    }

    /// One key with its value.
    public struct Entry: Sendable {
        /// The key.
        public let key: String
        /// Where the key stands.
        public let place: YAMLMapping.Place
        /// The value.
        public let value: YAMLNode
    }

    /// What stands there.
    public let value: Value
    /// Where it begins.
    public let place: YAMLMapping.Place

    /// Reads a document; an empty one is ``Value/null``.
    public init(parsing text: String) throws(YAMLMapping.Objection) {
        try YAMLAliasScan.check(text)
        let root = try YAMLMapping.compose(text)
        guard let root else {
            self.init(.null, YAMLMapping.Place(line: 1, column: 1))
            return
        }
        try self.init(root)
    }

    private init(_ value: Value, _ place: YAMLMapping.Place) {
        self.value = value
        self.place = place
    }

    private init(_ node: Node) throws(YAMLMapping.Objection) {
        let place = YAMLMapping.place(of: node)
        switch node {
        case .scalar(let scalar):
            let isNull = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
            self.init(isNull ? .null : .text(scalar.string), place)
        case .sequence(let sequence):
            var items: [YAMLNode] = []
            for item in sequence { items.append(try YAMLNode(item)) }
            self.init(.list(items), place)
        case .mapping(let mapping):
            var entries: [Entry] = []
            for (key, value) in mapping {
                guard let word = key.scalar?.string else {
                    throw YAMLMapping.Objection(place: YAMLMapping.place(of: key), message: "a key must be a word")
                }
                entries.append(Entry(key: word, place: YAMLMapping.place(of: key), value: try YAMLNode(value)))
            }
            self.init(.mapping(entries), place)
        case .alias:
            throw YAMLMapping.Objection(place: place, message: "no aliases here; write it out")
        }
    }
}

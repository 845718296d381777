internal import Yams

/// A YAML document that is one flat mapping of words to texts or lists of texts, with the place of each.
///
/// Configuration and policy files are nothing more than that, so that a typing error is found where it stands.
public struct YAMLMapping: Sendable {
    /// A place in a file, both counted from 1.
    public struct Place: Hashable, Sendable, CustomStringConvertible {
        /// The line.
        public let line: Int
        /// The column.
        public let column: Int

        /// `line:column`, as compilers write it.
        public var description: String { "\(line):\(column)" }
    }

    /// What stands behind a key.
    public enum Value: Equatable, Sendable {
        /// A scalar, as it was written, without quotes.
        case text(String)
        /// A list of scalars.
        case list([String])
    }

    /// One key with its value.
    public struct Entry: Sendable {
        /// The key.
        public let key: String
        /// The value.
        public let value: Value
        /// Where the key stands.
        public let place: Place
    }

    /// Why a document is not such a mapping.
    public struct Objection: Error, Sendable {
        /// Where.
        public let place: Place
        /// Why.
        public let message: String
    }

    /// The entries in the order of the file.
    public let entries: [Entry]

    /// Reads a document; an empty one has no entries.
    public init(parsing text: String) throws(Objection) {
        let root = try Self.compose(text)
        guard let root, root.scalar?.string != "" else {
            entries = []
            return
        }
        guard let mapping = root.mapping else {
            throw Objection(place: Self.place(of: root), message: "expected lines of the form key: value")
        }
        var entries: [Entry] = []
        for (key, value) in mapping {
            guard let word = key.scalar?.string else {
                throw Objection(place: Self.place(of: key), message: "a key must be a word")
            }
            entries.append(Entry(key: word, value: try Self.value(value, of: word), place: Self.place(of: key)))
        }
        self.entries = entries
    }

    static func compose(_ text: String) throws(Objection) -> Node? {
        do {
            return try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw objection(error)
        } catch {
            throw Objection(place: Place(line: 1, column: 1), message: "this is not YAML")
        }
    }

    private static func value(_ node: Node, of key: String) throws(Objection) -> Value {
        if let scalar = node.scalar { return .text(scalar.string) }
        guard let sequence = node.sequence else {
            throw Objection(place: place(of: node), message: "\(key) takes a text or a list of texts")
        }
        var texts: [String] = []
        for item in sequence {
            guard let scalar = item.scalar else {
                throw Objection(place: place(of: item), message: "\(key) takes a list of texts")
            }
            texts.append(scalar.string)
        }
        return .list(texts)
    }

    static func place(of node: Node) -> Place {
        Place(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    }

    private static func objection(_ error: YamlError) -> Objection {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            Objection(place: Place(line: mark.line, column: mark.column), message: problem)
        case .duplicatedKeysInMapping(let duplicates, let context):
            Objection(
                place: Place(line: context.mark.line, column: context.mark.column),
                message: "\(duplicates.joined(separator: ", ")) stands there twice")
        default:
            Objection(place: Place(line: 1, column: 1), message: "this is not YAML")
        }
    }
}

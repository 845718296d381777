import FoundationEssentials
import KeyoverCore

/// Reads and writes the JSON of servers that are not trusted.
enum StoreJSON {
    /// The deepest nesting of an answer.
    static let depth = 16

    /// Decodes an object of bounded nesting; `nil` for anything else.
    ///
    /// The depth is checked before the decoder sees the bytes, since decoders call themselves for every level.
    static func object<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) -> Value? {
        guard JSONNesting.isObject(bytes, within: depth) else { return nil }
        return try? JSONDecoder().decode(type, from: Data(bytes))
    }

    /// The JSON of a value that always can be written.
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }
}

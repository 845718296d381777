import FoundationEssentials

/// Reads and writes the JSON of servers that are not trusted.
enum StoreJSON {
    /// The deepest nesting of an answer.
    static let depth = 16

    /// Decodes an object of bounded nesting; `nil` for anything else.
    ///
    /// The depth is checked before the decoder sees the bytes, since decoders call themselves for every level.
    static func object<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) -> Value? {
        guard isObject(bytes) else { return nil }
        return try? JSONDecoder().decode(type, from: Data(bytes))
    }

    /// The JSON of a value that always can be written.
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }

    private static func isObject(_ bytes: [UInt8]) -> Bool {
        let whiteSpace: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
        guard bytes.first(where: { !whiteSpace.contains($0) }) == UInt8(ascii: "{") else { return false }
        return bytes.withUnsafeBufferPointer { bytes in
            var (level, index) = (0, 0)
            while index < bytes.count {
                switch bytes[index] {
                case UInt8(ascii: "\""):
                    index += 1
                    while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
                        index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
                    }
                case UInt8(ascii: "{"), UInt8(ascii: "["): level += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"): level -= 1
                default: break
                }
                if level > depth { return false }
                index += 1
            }
            return true
        }
    }
}

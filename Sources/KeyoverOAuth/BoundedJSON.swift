import FoundationEssentials

/// Reads JSON from servers that are not trusted.
public enum BoundedJSON {
    /// Decodes an object whose nesting stays within the depth; `nil` for anything else.
    ///
    /// The depth is checked before the decoder sees the bytes, since decoders call themselves for every level.
    public static func object<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8], depth: Int) -> Value? {
        guard isObject(bytes, within: depth) else { return nil }
        return try? JSONDecoder().decode(type, from: Data(bytes))
    }

    /// Whether the bytes begin as an object, and never nest deeper.
    static func isObject(_ bytes: [UInt8], within depth: Int) -> Bool {
        let whiteSpace: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
        guard bytes.first(where: { !whiteSpace.contains($0) }) == UInt8(ascii: "{") else { return false }
        var level = 0
        var isInString = false
        var isEscaped = false
        for byte in bytes {
            if isInString {
                switch byte {
                case _ where isEscaped: isEscaped = false
                case UInt8(ascii: "\\"): isEscaped = true
                case UInt8(ascii: "\""): isInString = false
                default: break
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): level += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): level -= 1
            default: break
            }
            if level > depth { return false }
        }
        return true
    }
}

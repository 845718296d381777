import FoundationEssentials
import KeyoverCore

/// Reads JSON from servers that are not trusted.
public enum BoundedJSON {
    /// Decodes an object whose nesting stays within the depth; `nil` for anything else.
    ///
    /// The depth is checked before the decoder sees the bytes, since decoders call themselves for every level.
    public static func object<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8], depth: Int) -> Value? {
        guard JSONNesting.isObject(bytes, within: depth) else { return nil }
        return try? JSONDecoder().decode(type, from: Data(bytes))
    }
}

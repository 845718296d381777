/// How deep JSON nests, looked at before a decoder sees it, since decoders call themselves for every level.
public enum JSONNesting {
    /// Whether the bytes begin as an object, and never nest deeper.
    public static func isObject(_ bytes: [UInt8], within depth: Int) -> Bool {
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

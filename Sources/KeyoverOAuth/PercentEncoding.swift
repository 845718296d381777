/// Percent-encoding for the places where ids and secrets go.
enum PercentEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Bytes as a name or value of `application/x-www-form-urlencoded` (RFC 6749 appendix B).
    ///
    /// A space becomes `%20`, which every form decoder reads, and so do those that know percent signs only; `~`, which all
    /// of them leave alone, is left alone for servers that forget to decode.
    static func form(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        encode(bytes, keeping: isUnreserved)
    }

    /// One segment of a path; `.` and `..` are encoded too, since they would mean another segment.
    static func pathSegment(_ text: String) -> String {
        let isDots = text == "." || text == ".."
        return String(decoding: encode(text.utf8) { isUnreserved($0) && !isDots }, as: UTF8.self)
    }

    private static func encode(_ bytes: some Sequence<UInt8>, keeping isKept: (UInt8) -> Bool) -> [UInt8] {
        var result: [UInt8] = []
        for byte in bytes {
            if isKept(byte) {
                result.append(byte)
            } else {
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return result
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default:
            false
        }
    }
}

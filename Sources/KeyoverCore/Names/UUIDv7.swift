/// A time-ordered UUID of version 7 (RFC 9562): 48 bits of milliseconds, then 74 random bits.
public struct UUIDv7: Hashable, Comparable, Sendable {
    /// The sixteen bytes in network order.
    public let bytes: [UInt8]

    /// A fresh id for a moment, random bits from the given generator.
    public init(at time: Timestamp, using generator: inout some RandomNumberGenerator) {
        var bytes = [UInt8](repeating: 0, count: 16)
        let milliseconds = UInt64(bitPattern: max(0, time.millisecondsSinceEpoch))
        for index in 0..<6 { bytes[index] = UInt8(truncatingIfNeeded: milliseconds >> (8 * (5 - UInt64(index)))) }
        for index in 6..<16 { bytes[index] = UInt8.random(in: .min ... .max, using: &generator) }
        bytes[6] = bytes[6] & 0x0F | 0x70
        bytes[8] = bytes[8] & 0x3F | 0x80
        self.bytes = bytes
    }

    /// The id of sixteen bytes, of any UUID version; `nil` for another count.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Orders ids by creation time.
    public static func < (left: Self, right: Self) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}

extension UUIDv7: LosslessStringConvertible {
    /// Reads the hyphenated form; any UUID version is accepted.
    public init?(_ description: String) {
        let groups = description.split(separator: "-", omittingEmptySubsequences: false)
        guard groups.map(\.count) == [8, 4, 4, 4, 12] else { return nil }
        guard let bytes = Hex.decode(groups.joined()) else { return nil }
        self.bytes = bytes
    }

    /// The hyphenated lower-case form.
    public var description: String {
        let digits = Hex.encode(bytes)
        var result = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { result.append("-") }
            result.append(digit)
        }
        return result
    }
}

extension UUIDv7: Codable {
    /// Reads the hyphenated form.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let id = UUIDv7(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a UUID")
        }
        self = id
    }

    /// Writes the hyphenated form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// A sequence of fields as bytes that can be read back in one way only: each is preceded by its length.
///
/// Lengths are 32-bit and numbers 64-bit, both big-endian. What is authenticated is always a transcript, so that no two
/// different lists of fields authenticate alike.
struct Transcript {
    private(set) var bytes: [UInt8] = []

    /// A transcript without fields, for storing.
    init() {}

    /// A transcript that begins with a word naming its purpose, for authenticating.
    init(_ purpose: String) {
        append(purpose)
    }

    /// The fields of a transcript; `nil` when it is cut short.
    static func fields(of bytes: [UInt8]) -> [ArraySlice<UInt8>]? {
        var rest = bytes[...]
        var fields: [ArraySlice<UInt8>] = []
        while !rest.isEmpty {
            guard let count = UInt32(bigEndianBytes: rest.prefix(4)), rest.count - 4 >= Int(count) else { return nil }
            fields.append(rest.dropFirst(4).prefix(Int(count)))
            rest = rest.dropFirst(4 + Int(count))
        }
        return fields
    }

    mutating func append(_ field: some Collection<UInt8>) {
        bytes.append(contentsOf: UInt32(truncatingIfNeeded: field.count).bigEndianBytes)
        bytes.append(contentsOf: field)
    }

    mutating func append(_ text: String) {
        append(Array(text.utf8))
    }

    mutating func append(_ number: UInt64) {
        append(number.bigEndianBytes)
    }
}

extension FixedWidthInteger {
    /// The bytes, most significant first.
    var bigEndianBytes: [UInt8] {
        withUnsafeBytes(of: bigEndian) { Array($0) }
    }

    /// The number that so many bytes say, most significant first; `nil` when the count does not fit.
    init?(bigEndianBytes bytes: some Collection<UInt8>) {
        guard bytes.count == Self.bitWidth / 8 else { return nil }
        self = bytes.reduce(0) { $0 << 8 | Self($1) }
    }
}

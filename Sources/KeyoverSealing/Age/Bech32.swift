/// Bech32 (BIP 173) without its limit on length, as age writes keys.
enum Bech32 {
    private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)

    static func encode(prefix: String, _ bytes: [UInt8], upperCase: Bool = false) -> [UInt8] {
        var digits = regroup(bytes, from: 8, to: 5, pad: true) ?? []
        digits += checksum(prefix: Array(prefix.utf8), digits)
        defer { Primitives.wipe(&digits) }
        let text = Array(prefix.utf8) + [UInt8(ascii: "1")] + digits.map { alphabet[Int($0)] }
        return upperCase ? text.map(upper) : text
    }

    /// The prefix in lower case and the bytes; `nil` unless checksum, case and padding are right.
    static func decode(_ text: some Collection<UInt8>) -> (prefix: String, bytes: [UInt8])? {
        let isLower = text.contains { (97...122).contains($0) }
        let isUpper = text.contains { (65...90).contains($0) }
        guard !(isLower && isUpper), text.allSatisfy({ (33...126).contains($0) }) else { return nil }
        var lowered = text.map(lower)
        defer { Primitives.wipe(&lowered) }
        guard let separator = lowered.lastIndex(of: UInt8(ascii: "1")), separator > 0,
            lowered.count - separator - 1 >= 6
        else { return nil }
        var digits: [UInt8] = []
        defer { Primitives.wipe(&digits) }
        for character in lowered[(separator + 1)...] {
            guard let digit = alphabet.firstIndex(of: character) else { return nil }
            digits.append(UInt8(digit))
        }
        let prefix = Array(lowered[..<separator])
        guard polymod(expand(prefix) + digits) == 1,
            let bytes = regroup(Array(digits.dropLast(6)), from: 5, to: 8, pad: false)
        else { return nil }
        return (String(decoding: prefix, as: UTF8.self), bytes)
    }

    private static func regroup(_ input: [UInt8], from: Int, to: Int, pad: Bool) -> [UInt8]? {
        var result: [UInt8] = []
        var (buffer, bits) = (UInt32(0), 0)
        for value in input {
            buffer = buffer << UInt32(from) | UInt32(value)
            bits += from
            while bits >= to {
                bits -= to
                result.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits) & (1 << UInt32(to) - 1)))
            }
        }
        let rest = buffer & (1 << UInt32(bits) - 1)
        if pad {
            if bits > 0 { result.append(UInt8(truncatingIfNeeded: rest << UInt32(to - bits))) }
        } else if bits >= from || rest != 0 {
            return nil
        }
        return result
    }

    private static func checksum(prefix: [UInt8], _ digits: [UInt8]) -> [UInt8] {
        let sum = polymod(expand(prefix) + digits + [0, 0, 0, 0, 0, 0]) ^ 1
        return (0..<6).map { UInt8(truncatingIfNeeded: sum >> UInt32(5 * (5 - $0)) & 31) }
    }

    private static func expand(_ prefix: [UInt8]) -> [UInt8] {
        prefix.map { $0 >> 5 } + [0] + prefix.map { $0 & 31 }
    }

    private static func polymod(_ values: [UInt8]) -> UInt32 {
        let generators: [UInt32] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
        var sum: UInt32 = 1
        for value in values {
            let top = sum >> 25
            sum = (sum & 0x1ff_ffff) << 5 ^ UInt32(value)
            for (bit, generator) in generators.enumerated() where top >> UInt32(bit) & 1 == 1 { sum ^= generator }
        }
        return sum
    }

    private static func lower(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte + 32 : byte }
    private static func upper(_ byte: UInt8) -> UInt8 { (97...122).contains(byte) ? byte - 32 : byte }
}

/// A small seeded generator, so that a profile's faults fall the same way in every run.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.scramble(state)
    }

    /// A well-mixed number for the words, the same for the same words.
    static func mix(_ words: UInt64...) -> UInt64 {
        words.reduce(0) { scramble(($0 ^ $1) &+ 0x9E37_79B9_7F4A_7C15) }
    }

    private static func scramble(_ word: UInt64) -> UInt64 {
        var mixed = word
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Unguessable text from the system's generator.
enum RandomText {
    private static let base64URL = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let hostile = Array("%+&= :/?#\"\\'<>;,@aZ09".utf8)

    /// Characters of the base64url alphabet, 6 bits each: 43 of them carry 256 bits.
    static func urlSafe(count: Int = 43) -> String {
        text(of: base64URL, count: count)
    }

    /// Characters that break whoever forgets to form-encode; it begins with one of each kind that matters.
    static func hostile(count: Int = 43) -> String {
        "%+&= :/\"%2B" + text(of: hostile, count: max(0, count - 11))
    }

    static func hexadecimal(count: Int) -> String {
        text(of: Array("0123456789abcdef".utf8), count: count)
    }

    private static func text(of alphabet: [UInt8], count: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return String(decoding: (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0 }, as: UTF8.self)
    }
}

/// A keyed digest under a key of this process: tells whether a value was seen before without keeping the value.
struct ValueDigest: Hashable, Sendable {
    private let low: Int
    private let high: Int

    init(_ value: some Collection<UInt8>) {
        low = Self.digest(value, domain: 0)
        high = Self.digest(value, domain: 1)
    }

    private static func digest(_ value: some Collection<UInt8>, domain: UInt8) -> Int {
        var hasher = Hasher()
        hasher.combine(domain)
        hasher.combine(value.count)
        for byte in value {
            hasher.combine(byte)
        }
        return hasher.finalize()
    }
}

/// Compares without telling by its duration where the two differ.
func constantTimeEqual(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}

/// Where nonces, tags and control secrets come from; the simulator's comes from its seed.
public protocol Randomness: Sendable {
    /// So many unpredictable bytes.
    func bytes(_ count: Int) -> [UInt8]
}

/// The kernel's random numbers.
public struct SystemRandomness: Randomness {
    /// The kernel's random numbers.
    public init() {}

    /// So many unpredictable bytes.
    public func bytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}

/// A source of random bytes as the standard library wants it.
struct RandomGenerator: RandomNumberGenerator {
    let source: any Randomness

    mutating func next() -> UInt64 {
        source.bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

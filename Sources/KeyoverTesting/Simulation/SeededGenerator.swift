internal import KeyoverEngine

/// SplitMix64: small, fast, and the same numbers for the same seed on every machine and in every version.
///
/// The draws below are written out instead of taken from the standard library, whose algorithms may change.
public struct SeededGenerator: Sendable {
    private var state: UInt64

    /// A generator that repeats itself exactly for the same seed.
    public init(seed: UInt64) {
        state = seed
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from zero up to, not including, the bound.
    public mutating func below(_ bound: Int) -> Int {
        bound <= 1 ? 0 : Int(truncatingIfNeeded: (next() >> 1) % UInt64(bound))
    }

    /// A number of the closed range.
    public mutating func within(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(below(Int(range.upperBound - range.lowerBound) + 1))
    }

    /// True in so many cases of a thousand.
    public mutating func chance(_ perMille: Int) -> Bool {
        perMille > 0 && below(1000) < perMille
    }

    /// One of the choices; there must be one.
    public mutating func pick<Choice>(_ choices: [Choice]) -> Choice {
        choices[below(choices.count)]
    }

    /// So many bytes.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 24) }
    }
}

/// The engine's random bytes, drawn from the simulation's seed.
struct SimulatedRandomness: Randomness {
    let simulation: Simulation

    func bytes(_ count: Int) -> [UInt8] { simulation.generator.bytes(count) }
}

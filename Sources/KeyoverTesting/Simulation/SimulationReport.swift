public import KeyoverCore

/// How one simulated world went.
public struct SimulationReport: Sendable {
    /// The seed it was made from.
    public let seed: UInt64
    /// The first invariant that did not hold.
    public let violation: Violation?
    /// Which faults struck where.
    public let coverage: Coverage
    /// How many virtual events there were.
    public let events: Int
    /// How many virtual milliseconds passed.
    public let virtualTime: Int64
    /// A hash over all that happened, equal for two runs of one seed.
    public let traceHash: UInt64
    /// What happened, when it was traced.
    public let trace: [String]
    /// How the last rotation ended.
    public let outcome: Stage?
    /// How many rotations were begun.
    public let rotations: Int
}

/// An invariant that did not hold.
public struct Violation: Sendable, CustomStringConvertible {
    /// The seed that shows it.
    public let seed: UInt64
    /// The invariant's number in DESIGN section 5.
    public let invariant: Int
    /// What was seen.
    public let message: String
    /// The virtual millisecond at which it was seen.
    public let at: Int64

    /// The finding, and the command that replays it.
    public var description: String {
        "seed \(seed): invariant \(invariant): \(message) (at \(at) ms)\n"
            + "  swift run keyover-simulate --seed \(seed) --trace"
    }
}

/// What happened, as a hash always and as text when asked for.
struct Journal {
    let isTracing: Bool
    private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    private(set) var lines: [String] = []

    init(isTracing: Bool) {
        self.isTracing = isTracing
    }

    mutating func note(at now: Int64, _ what: () -> String) {
        mix(UInt64(bitPattern: now))
        guard isTracing else { return }
        let line = what()
        for byte in line.utf8 { mix(UInt64(byte)) }
        let time = String(now)
        lines.append(String(repeating: " ", count: max(0, 9 - time.count)) + time + "  " + line)
    }

    private mutating func mix(_ word: UInt64) {
        hash = (hash ^ word) &* 0x0000_0100_0000_01B3
    }
}

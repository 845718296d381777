internal import KeyoverCore
internal import KeyoverEngine

/// A machine that runners and consumers live on: a wall clock that may be wrong or jump, and a boot clock that may not.
final class SimulatedHost {
    let name: String
    private(set) var bootID: String
    /// How far the wall clock is from the true time.
    var skew: Int64
    /// What the boot clock is ahead of the true time.
    private var bootOffset: Int64
    private var formerBoots: [(bootID: String, offset: Int64)] = []

    /// The true time's zero as a wall clock shows it.
    static let epoch: Int64 = 1_795_000_000_000

    init(name: String, bootID: String, skew: Int64, bootOffset: Int64) {
        self.name = name
        self.bootID = bootID
        self.skew = skew
        self.bootOffset = bootOffset
    }

    func reading(at now: Int64) -> ClockReading {
        ClockReading(
            wall: Timestamp(millisecondsSinceEpoch: Self.epoch + now + skew),
            sinceBoot: .milliseconds(now + bootOffset), bootID: bootID)
    }

    /// The true time at which this host took a reading; `nil` for a reading of another host.
    func trueTime(of reading: ClockReading) -> Int64? {
        if reading.bootID == bootID { return reading.sinceBoot.milliseconds - bootOffset }
        return formerBoots.first { $0.bootID == reading.bootID }.map { reading.sinceBoot.milliseconds - $0.offset }
    }

    /// Starts anew: the boot clock begins at zero.
    func reboot(at now: Int64, bootID: String) {
        formerBoots.append((self.bootID, bootOffset))
        self.bootID = bootID
        bootOffset = -now
    }
}

/// One command at work: a task of its own whose every contact with the world goes through the simulation.
///
/// A dead process never comes back from the call it is in; what it had handed to the provider takes place nevertheless.
final class SimulatedProcess: @unchecked Sendable {
    // Like all of the simulation: touched only by the thread that drives it.
    let number: Int
    let host: SimulatedHost
    let order: OperatorOrder
    var task: Task<Void, Never>?
    /// The words by which claims name this process.
    var nonces: [String] = []
    /// Those of them that its kernel lock stands for now.
    var announced: [String] = []
    var isDead = false
    var isDone = false
    /// Until when it is stopped, as by SIGSTOP.
    var stoppedUntil: Int64 = 0
    /// Where Ctrl-C is heard; only where the seed has interruptions at all.
    var interruption: Interruption?
    var result: OperatorResult?

    var isRunning: Bool { !isDead && !isDone }

    init(number: Int, host: SimulatedHost, order: OperatorOrder) {
        self.number = number
        self.host = host
        self.order = order
    }

    /// A suspended sleep that ends once, by its timer or by an interruption.
    final class Nap {
        var continuation: UnsafeContinuation<Void, Never>?

        init(_ continuation: UnsafeContinuation<Void, Never>) {
            self.continuation = continuation
        }
    }
}

/// The clocks as one process sees them.
struct SimulatedClock: EngineClock {
    let simulation: Simulation
    let process: SimulatedProcess

    func now() -> ClockReading { process.host.reading(at: simulation.now) }

    func sleep(for span: TimeSpan) async throws {
        try await simulation.sleep(span, process)
    }
}

/// The kernel locks as one process sees them.
struct SimulatedPresence: RunnerPresence {
    let simulation: Simulation
    let process: SimulatedProcess

    func announce(_ nonce: String) {
        process.nonces.append(nonce)
        process.announced.append(nonce)
    }

    func withdraw(_ nonce: String) {
        process.announced.removeAll { $0 == nonce }
    }

    func isProvenDead(_ claim: Claim) -> Bool {
        guard claim.host == process.host.name else { return false }
        return !simulation.processes.contains { $0.isRunning && $0.announced.contains(claim.nonce) }
    }
}

internal import KeyoverCore
internal import KeyoverEngine

/// One simulated world, made from a seed: the real engine and machine in surroundings where everything goes wrong.
///
/// **Fault model.** Time is virtual and moves from event to event. Whatever is drawn is drawn from the seed, so that a
/// seed always gives the same history.
///
/// - *Vault*: any call may get no answer, before or after its write took place; an admin edits the client between a
///   runner's read and its write; a value may be given back mangled.
/// - *Processes*: die before and after each write to the vault, before and after the provider commits, in their sleep,
///   or all together when a host reboots or a machine is lost and a backup restored; are stopped for longer than their claim and continued; are interrupted; run
///   two at a time, on one host or on two. A dead process does nothing any more, but what it had sent still happens.
/// - *Clocks*: wall clocks of hosts differ by up to 30 s; on a single host they jump by hours. Boot clocks are steady.
/// - *Provider*: a write commits up to `commitDelay` after it was sent, whether or not its sender still lives; it
///   reaches each replica within `propagationBound`, until when a replica may forget it again; answers get lost; calls
///   are throttled or refused with odd codes; lists lag behind by the same bound; slots are full; a fuse burns.
/// - *Exchanges*: get no answer, or one that says nothing; a wrong secret is answered with 400, 401, 403 or 404.
/// - *Audit log*: takes no entries for a while, or takes them and does not say so.
/// - *People*: order, abort, accept and report leaks at any time; make mistakes at a manual provider's console; and one
///   changes secrets out of band, which waives the invariants that assume that nobody does.
///
/// What is *not* simulated: a provider that breaks its own `propagationBound` or `commitDelay`, readers that keep a
/// secret for longer than they declared, a vault that loses or rolls back a confirmed write.
///
/// After a while faults cease and people do what they are asked for; then the rotation has to end, the provider has to
/// hold nothing that the vault does not know, and one more rotation has to complete.
public final class Simulation: @unchecked Sendable {
    // Everything here is touched only by the one thread that calls `run`.
    let seed: UInt64
    var generator: SeededGenerator
    let scenario: Scenario
    let executor = VirtualExecutor()
    var timers = TimerQueue()
    /// The true time, in milliseconds since the simulation began.
    private(set) var now: Int64 = 0
    private var timerCount: UInt64 = 0
    /// Suspended calls of dead processes, let go at the end.
    private var parked: [UnsafeContinuation<Void, Never>] = []
    /// Whether the simulation has ended and everything still suspended is only being wound up.
    private(set) var isOver = false
    /// Whether something happened since the invariants were checked.
    var hasChanged = true
    var faultsHaveCeased = false

    var hosts: [SimulatedHost] = []
    var processes: [SimulatedProcess] = []
    var store = VaultStore()
    let server: SimulatedServer
    var log = LogStore()
    var people = People()
    var readers: [SimulatedReader] = []
    /// The newest backup.
    var backup: SimulatedBackup?
    var journal: Journal
    var coverage = Coverage()
    var checkers: [any InvariantChecker] = []
    private(set) var violation: Violation?
    private var eventCount = 0

    private init(seed: UInt64, tracing: Bool) {
        self.seed = seed
        generator = SeededGenerator(seed: seed)
        scenario = Scenario(using: &generator)
        server = SimulatedServer(scenario)
        journal = Journal(isTracing: tracing)
        checkers = Self.allCheckers()
    }

    /// Lives one world through, from the seed to the end or to the first violation.
    public static func run(seed: UInt64, tracing: Bool = false) -> SimulationReport {
        let simulation = Simulation(seed: seed, tracing: tracing)
        simulation.populate()
        simulation.live()
        simulation.windUp()
        return simulation.report()
    }

    // MARK: Time

    /// Lets something happen after so many virtual milliseconds.
    func after(_ delay: Int64, _ action: @escaping () -> Void) {
        timerCount += 1
        // Events of one moment happen in an order drawn from the seed.
        let order = generator.next() & 0xFFFF_0000_0000_0000 | timerCount
        timers.add(at: now + max(0, delay), order: order, action)
    }

    private func live() {
        while violation == nil, !isOver {
            eventCount += 1
            if eventCount > Self.eventLimit {
                if !people.hasMeddled, !isStranded { violate(5, "no end after \(Self.eventLimit) events") }
                isOver = true
            }
            if executor.readyCount > 0 {
                executor.run(at: generator.below(executor.readyCount))
            } else if let timer = timers.pop() {
                now = timer.at
                timer.action()
            } else {
                violate(5, "nothing will ever happen again")
            }
            guard hasChanged else { continue }
            hasChanged = false
            for checker in checkers { checker.check(self) }
        }
    }

    private static let eventLimit = 60_000

    /// Ends the world: what is still suspended gets an error from its next call and runs out.
    private func windUp() {
        isOver = true
        timers = TimerQueue()
        let left = parked + suspended.compactMap(\.continuation)
        parked = []
        suspended = []
        for continuation in left { continuation.resume() }
        var patience = 10_000
        while executor.readyCount > 0, patience > 0 {
            executor.run(at: 0)
            patience -= 1
        }
    }

    /// Ends the simulation in good order.
    func end() { isOver = true }

    // MARK: Suspension

    /// Calls under way that wait for a timer.
    private var suspended: [SimulatedProcess.Nap] = []

    /// Lets virtual time pass inside a call of a process; a dead process never returns from it.
    func pass(_ span: Int64, _ process: SimulatedProcess) async {
        if isOver { return }
        await withUnsafeContinuation { continuation in
            let nap = SimulatedProcess.Nap(continuation)
            suspended.append(nap)
            after(span) { self.wake(nap, process) }
        }
    }

    private func wake(_ nap: SimulatedProcess.Nap, _ process: SimulatedProcess) {
        guard let continuation = nap.continuation else { return }
        if process.stoppedUntil > now, !process.isDead {
            after(process.stoppedUntil - now) { self.wake(nap, process) }
            return
        }
        nap.continuation = nil
        suspended.removeAll { $0 === nap }
        if process.isDead {
            parked.append(continuation)
        } else {
            continuation.resume()
        }
    }

    /// The engine's sleep: ended by its timer, or by cancellation.
    func sleep(_ span: TimeSpan, _ process: SimulatedProcess) async throws {
        if isOver || Task.isCancelled { throw CancellationError() }
        let bed = Bed()
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let nap = SimulatedProcess.Nap(continuation)
                bed.nap = nap
                suspended.append(nap)
                after(span.milliseconds) {
                    if nap.continuation != nil, process.isRunning, self.strikes(.crashAsleep) { self.crash(process) }
                    self.wake(nap, process)
                }
            }
        } onCancel: {
            // Whoever cancels is part of the simulation too, so this runs on its thread.
            if let nap = bed.nap { after(0) { self.wake(nap, process) } }
        }
        if isOver || Task.isCancelled { throw CancellationError() }
    }

    /// Where a cancellation finds the sleep that it is to end.
    private final class Bed: @unchecked Sendable {
        var nap: SimulatedProcess.Nap?
    }

    /// SIGKILL: the process does nothing from now on.
    func crash(_ process: SimulatedProcess) {
        guard process.isRunning else { return }
        process.isDead = true
        process.announced = []
        happened("\(process) died")
    }

    // MARK: Faults and findings

    /// Whether the fault is to happen here and now; if so, it is counted.
    func strikes(_ fault: Fault) -> Bool {
        guard !faultsHaveCeased, generator.chance(scenario.rate(fault)) else { return false }
        struck(fault)
        return true
    }

    /// Counts a fault that happened.
    func struck(_ fault: Fault) {
        let rotation = store.record.rotation
        let stage = rotation.map { $0.attention?.from ?? $0.stage }
        coverage.hit(rotation?.strategy ?? scenario.strategy, stage, fault)
        happened("fault: \(fault.rawValue)")
    }

    /// Writes a line into the trace.
    func happened(_ what: @autoclosure () -> String) {
        hasChanged = true
        journal.note(at: now, what)
    }

    /// Records that an invariant does not hold; the first one ends the simulation.
    func violate(_ invariant: Int, _ message: String) {
        guard violation == nil, !isOver else { return }
        violation = Violation(seed: seed, invariant: invariant, message: message, at: now)
        happened("VIOLATION of invariant \(invariant): \(message)")
    }

    /// The true time of a clock reading of any host, in any of its boots.
    func trueTime(of reading: ClockReading) -> Int64 {
        for host in hosts {
            if let time = host.trueTime(of: reading) { return time }
        }
        return now
    }

    private func report() -> SimulationReport {
        SimulationReport(
            seed: seed, violation: violation, coverage: coverage, events: eventCount, virtualTime: now,
            traceHash: journal.hash, trace: journal.lines,
            outcome: store.record.lastRotation?.outcome, rotations: store.rotationCount)
    }
}

extension SimulatedProcess: CustomStringConvertible {
    var description: String { "process \(number) (\(order.word) on \(host.name))" }
}

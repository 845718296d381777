import Glibc
import KeyoverSandbox
import Testing

/// A moment in a rotation at which a test interferes, and how it is made long enough to be met.
///
/// Nothing in the product waits for the tests: a slow sandbox, a slow hook of the admin's, and the waits that a rotation
/// makes anyhow (caches, soak, propagation) keep each stage in place. Only `staged` has nothing to wait for; it lasts
/// as long as it takes to read a record and to write it back to disk.
struct Moment: Sendable, CustomTestStringConvertible {
    /// How the moment is recognised from outside.
    enum Sign: Sendable {
        /// The running command says on standard error that it has entered the stage.
        case entered
        /// The audit log holds the action.
        case noted(String)
        /// The audit log holds the intent, and the request waits at the sandbox, which does not commit it yet.
        case inFlight(SandboxOperation, intent: String)
        /// The sandbox has committed, and keeps its answer to itself.
        case unanswered(SandboxOperation)
    }

    let testDescription: String
    /// The stage that the record is in.
    let stage: String
    let sign: Sign
    var before: [SandboxOperation: Int] = [:]
    var after: [SandboxOperation: Int] = [:]
    /// What a hook does when traffic moves.
    var hook: String?

    /// Less than the commit delay that was declared, so that a request left behind commits when it may.
    private static let pause = 1500

    // MARK: On the way forward

    static let counting = Self(
        testDescription: "minting, slots being counted", stage: "minting", sign: .noted("rotation.started"),
        before: [.list: pause])
    static let mintInFlight = Self(
        testDescription: "minting, the add not yet committed", stage: "minting",
        sign: .inFlight(.add, intent: "intent.add"), before: [.add: pause])
    static let mintUnanswered = Self(
        testDescription: "minting, the add committed and never answered", stage: "minting", sign: .unanswered(.add),
        after: [.add: 20_000])
    static let staged = Self(testDescription: "staged", stage: "staged", sign: .entered)
    static let verifying = Self(testDescription: "verifying", stage: "verifying", sign: .entered)
    static let cutOver = Self(testDescription: "cutOver", stage: "cutOver", sign: .entered, hook: "sleep 2")
    static let draining = Self(testDescription: "draining", stage: "draining", sign: .entered)
    static let deactivationInFlight = Self(
        testDescription: "deactivating, not yet committed", stage: "deactivating",
        sign: .inFlight(.deactivate, intent: "intent.deactivate"), before: [.deactivate: pause])
    static let deactivationUnanswered = Self(
        testDescription: "deactivating, committed and never answered", stage: "deactivating",
        sign: .unanswered(.deactivate), after: [.deactivate: 20_000])
    static let soaking = Self(testDescription: "soaking", stage: "soaking", sign: .entered)

    // MARK: From the point of no return on

    static let removalInFlight = Self(
        testDescription: "retiring, the removal not yet committed", stage: "retiring",
        sign: .inFlight(.delete, intent: "intent.remove"), before: [.delete: pause])
    static let removalUnanswered = Self(
        testDescription: "retiring, the removal committed and never answered", stage: "retiring",
        sign: .unanswered(.delete), after: [.delete: 20_000])
    static let proving = Self(testDescription: "proving", stage: "proving", sign: .entered)
    static let sweeping = Self(testDescription: "completed, looking for leftovers", stage: "completed", sign: .entered)

    static let reversible = [
        counting, mintInFlight, mintUnanswered, staged, verifying, cutOver, draining, deactivationInFlight,
        deactivationUnanswered, soaking,
    ]
    static let irreversible = [removalInFlight, removalUnanswered, proving, sweeping]
}

extension Moment {
    /// Returns as soon as the rotation that the process drives is there.
    func arrive(_ process: KeyoverProcess, in rehearsal: Rehearsal) async throws {
        // The sweep is one list, which the stages before it need as well and quickly.
        if stage == "completed" {
            try await Self.proving.see(process, in: rehearsal)
            try rehearsal.slow(before: [.list: Self.pause])
        }
        try await see(process, in: rehearsal)
    }

    private func see(_ process: KeyoverProcess, in rehearsal: Rehearsal) async throws {
        func see(_ sign: @escaping () -> Bool) async throws {
            try await eventually(testDescription) {
                if sign() { return true }
                guard !process.hasEnded else { throw TestFailure("it has ended: \(process.errorsSoFar)") }
                return false
            }
        }
        switch sign {
        case .entered: try await see { process.errorsSoFar.contains("\(Rehearsal.client): \(stage)\n") }
        case .noted(let action): try await see { rehearsal.hasNoted(action) }
        case .unanswered(let operation): try await see { rehearsal.writes(operation) == 1 }
        case .inFlight(let operation, let intent):
            try await see { rehearsal.hasNoted(intent) }
            try await see { rehearsal.server.arrivals(of: operation) == 1 }
            guard rehearsal.writes(operation) == 0 else { throw TestFailure("\(operation) has committed too soon") }
        }
    }
}

extension Rehearsal {
    /// Carries the body out on a rotation whose process was killed at the moment, under traffic all the time.
    static func killed(at moment: Moment, _ body: @escaping (Rehearsal) async throws -> Void) async throws {
        // Who is too slow for a stage that passes in milliseconds tries again.
        for attempt in 1... {
            var stage = ""
            try await run(Plan(soak: moment.stage == "soaking" ? "3s" : "1s", hook: moment.hook)) { rehearsal in
                try await Traffic.flows(in: rehearsal) {
                    try rehearsal.slow(before: moment.before, after: moment.after)
                    let process = try rehearsal.rotate()
                    try await moment.arrive(process, in: rehearsal)
                    process.send(SIGKILL)
                    let result = try await process.finish()
                    #expect(result.ending == .killed(by: SIGKILL))
                    try rehearsal.slow()
                    let status = try await rehearsal.status()
                    stage = status.stage
                    #expect(status.next == "keyover resume \(Self.client)", "the dead are known to be dead")
                    if stage == moment.stage { try await body(rehearsal) }
                }
            }
            if stage == moment.stage { return }
            guard attempt < 5 else { throw TestFailure("killed in \(stage), not in \(moment.stage)") }
        }
    }
}

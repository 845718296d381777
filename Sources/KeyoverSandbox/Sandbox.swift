import Synchronization

/// The state behind its lock, the clock that drives it and the token that opens the admin calls.
final class Sandbox: Sendable {
    let adminToken = RandomText.urlSafe()
    private let clock: @Sendable () -> SandboxInstant
    private let state: Mutex<SandboxState>

    init(profile: SandboxProfile, clock: @escaping @Sendable () -> SandboxInstant) {
        self.clock = clock
        state = Mutex(SandboxState(profile: profile))
    }

    /// Runs one decision: everything within sees and makes one consistent change, at one moment.
    func decide<Result: Sendable, Failure: Error>(
        _ body: (inout SandboxState, SandboxInstant) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let now = clock()
        return try state.withLock { state throws(Failure) in try body(&state, now) }
    }

    /// What the `Date` header says: the clock, skewed as the profile has it.
    func advertisedTime() -> SandboxInstant {
        decide { state, now in now.advanced(bySeconds: state.profile.dateSkewSeconds) }
    }
}

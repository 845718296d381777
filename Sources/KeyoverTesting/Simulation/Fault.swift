/// What can go wrong in a simulation; each seed switches some of them on, each with a rate of its own.
public enum Fault: String, CaseIterable, Sendable {
    // The vault.
    /// An admin's edit of the client lands between a runner's read and its write.
    case adminEdit
    /// The vault does not answer, and nothing was written.
    case vaultSilentBefore
    /// The vault does not answer, though the write took place.
    case vaultSilentAfter
    /// A value is given back otherwise than it was stored.
    case valueMangled

    // Processes.
    /// A process dies before a write to the vault.
    case crashBeforeStore
    /// A process dies after a write to the vault.
    case crashAfterStore
    /// A process dies after its request left and before the provider commits.
    case crashBeforeCommit
    /// A process dies after the provider committed and before the answer arrives.
    case crashAfterCommit
    /// A process dies while it sleeps.
    case crashAsleep
    /// A process is stopped for longer than its claim, then continued.
    case stopped
    /// Ctrl-C.
    case interrupted
    /// A host starts anew: its processes die, its boot id changes.
    case reboot
    /// The machine is lost with vault, log and processes, and a backup is restored.
    case machineLost
    /// A second runner starts while the first one is at work.
    case secondRunner
    /// A host's wall clock is set forward or backward.
    case wallJump

    // The provider.
    /// A write is answered with 429, sometimes with `Retry-After`.
    case throttled
    /// A write is refused with an odd code.
    case refusedOddly
    /// A write takes place and its answer is lost.
    case answerLost
    /// A write is lost on its way, which looks to its sender like a lost answer.
    case requestLost
    /// A write commits long after it was sent.
    case commitDelayed
    /// A list call fails.
    case listFailed
    /// A list shows what was, not what is.
    case listLagging
    /// A replica forgets again what it has seen, inside the propagation bound.
    case flapping
    /// An exchange gets no answer, or one that says nothing.
    case exchangeFailed

    // Around the rotation.
    /// The audit log does not take entries.
    case auditFailed
    /// The audit log took entries but did not say so.
    case auditSilent
    /// An announcement fails.
    case deliveryFailed
    /// A consumer reports the new secret as rejected though it is not.
    case falseComplaint
    /// A consumer stops asking while its lease still runs.
    case straggler
    /// The person at the console makes a mistake.
    case personErrs
    /// Somebody changes secrets at the provider out of band.
    case meddling
}

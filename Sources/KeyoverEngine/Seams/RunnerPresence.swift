public import KeyoverCore

/// Tells whether the runner behind a claim is dead beyond doubt, so that its rotation need not wait for the claim to
/// run out.
public protocol RunnerPresence: Sendable {
    /// Makes it known, for as long as this process lives, that the runner with the nonce is alive.
    func announce(_ nonce: String)
    /// Takes the announcement back.
    func withdraw(_ nonce: String)
    /// Whether the claim's holder ran on this host and the kernel says that it is gone; `false` when in doubt.
    func isProvenDead(_ claim: Claim) -> Bool
}

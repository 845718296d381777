import KeyoverCore

/// When a client's secret is to be replaced.
struct Schedule {
    /// Since when the secret in force counts.
    let since: Timestamp
    /// From when on `rotate --due` acts.
    let actsAt: Timestamp
    /// By when it must have been replaced.
    let deadline: Timestamp
    /// What decides: the policy's age or the provider's expiry.
    let reason: String

    init(_ record: ClientRecord, _ policy: RotationPolicy) {
        since = record.primary.issuedAt ?? record.primary.storedAt
        let byAge = since + policy.maximumAge
        if let expiry = record.primary.expiresAt, expiry < byAge {
            deadline = expiry
            reason = "the provider lets it expire"
        } else {
            deadline = byAge
            reason = "maximum age \(policy.maximumAge) of the policy \(policy.name)"
        }
        actsAt = record.primaryIsCompromised ? since : deadline - policy.actBefore
    }

    func isDue(at now: Timestamp) -> Bool { actsAt <= now }

    /// `due in 12d`, `due since 3h`.
    func words(at now: Timestamp) -> String {
        isDue(at: now) ? "due since \((now - actsAt).rounded)" : "due in \((actsAt - now).rounded)"
    }
}

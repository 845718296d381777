/// How the old secret is turned on again on the way back, though a deactivation may still be under way to the provider.
extension RotationMachine {
    /// Keeps a deactivation in mind that is given up on without an answer.
    mutating func rememberLostDeactivation() {
        if rotation.stage == .deactivating, case .deactivate = rotation.intent?.write {
            rotation.lostDeactivation = rotation.intent
        }
    }

    /// Turns the old secret on at once, and once more when a lost deactivation cannot take effect any more; `nil` when it
    /// is on for good.
    mutating func turnOn() -> Effect? {
        guard let id = record.primary.secretID else { return nil }
        if rotation.deactivatedAt != nil { return write(.reactivate(id)) }
        guard let lost = rotation.lostDeactivation else { return nil }
        let missing = timeToTakeEffect(lost, at: context.now)
        guard missing == .zero else {
            return wait(.provider, "time for a lost deactivation to show itself", min(missing, .seconds(10)))
        }
        return write(.reactivate(id))
    }

    /// The provider confirmed that the old secret is on.
    mutating func reactivated() -> Effect {
        if let lost = rotation.lostDeactivation, let declared = rotation.intent?.declaredAt,
            timeToTakeEffect(lost, at: declared) == .zero
        {
            rotation.lostDeactivation = nil
        }
        rotation.intent = nil
        rotation.deactivatedAt = nil
        rotation.reactivatedAt = context.now
        rotation.failures = 0
        return work()
    }

    /// How long a write may still take effect that was declared and perhaps sent.
    private func timeToTakeEffect(_ intent: Intent, at now: ClockReading) -> TimeSpan {
        intent.declaredAt.remaining(of: intent.term + context.capabilities.commitDelay, at: now)
    }
}

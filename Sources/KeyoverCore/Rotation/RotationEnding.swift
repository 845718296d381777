/// The end of a rotation, either way: the proof, the last look for leftovers, the summary.
extension RotationMachine {
    mutating func proven(_ evidence: [Evidence]) -> Effect {
        keep(evidence)
        // Each refusal was heard beside an accepted exchange of the active secret, unless the proof was a list.
        if !context.capabilities.locksOut { activeAccepted(evidence) }
        return enter(rotation.stage == .provingRemoved ? .rolledBack : .completed)
    }

    mutating func retryProof(_ trouble: Trouble) -> Effect {
        if trouble.needsPerson || rotation.failures >= Self.patience { return attention(.unproven, trouble.message) }
        return retry(trouble)
    }

    /// Looks for leftovers, once everything that was sent must have become visible.
    mutating func sweep() -> Effect {
        guard context.strategy.provision == .calls else { return finish() }
        let answered = rotation.mintedAt == nil ? 0 : 1
        if rotation.tags.count > answered, timeToSettle > .zero {
            return wait(.provider, "time for a lost mint to show itself", min(timeToSettle, .seconds(10)))
        }
        return .sweep
    }

    mutating func swept(_ listed: [ListedSecret]) -> Effect {
        let kept = record.primary.secretID
        let ours = listed.filter { secret in
            secret.id != kept && (secret.tag.map(rotation.tags.contains) ?? false)
        }
        if !ours.isEmpty {
            adopt(ours)
            return work()
        }
        if let effect = sweepLeftovers(listed) { return effect }
        let unknown = listed.map(\.id).filter { id in !record.owned.contains { $0.secretID == id } }
        if rotation.compromised != nil, hasUnknown(listed) {
            let ids = unknown.map(\.description).joined(separator: ", ")
            return attention(.unknownSecrets, "nobody answers for these secrets at the provider: \(ids)")
        }
        return finish()
    }

    /// Whether there are secrets that nobody answers for; a primary adopted without its id only seems to be one.
    func hasUnknown(_ listed: [ListedSecret]) -> Bool {
        let unknown = listed.filter { secret in !record.owned.contains { $0.secretID == secret.id } }
        return unknown.count > (record.primary.secretID == nil ? 1 : 0)
    }

    private mutating func finish() -> Effect {
        let outcome = rotation.stage
        archive(outcome)
        return .finish(outcome == .completed ? .completed : .rolledBack)
    }
}

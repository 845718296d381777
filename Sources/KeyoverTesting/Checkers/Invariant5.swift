internal import KeyoverCore

/// When faults cease and inputs are supplied, every rotation reaches completed or rolledBack within a bounded number of
/// steps; needsAttention only for its listed causes.
///
/// The bound is kept by the closing rounds (`Simulation.close`): a fixed number of commands, each followed by what its
/// `needsAttention` or `waiting` asks people for. Here the end itself is judged: one more rotation, begun when all was
/// calm, has to complete. And an end means what it says: no replica takes the secret that was proven dead.
///
/// Somebody who meddled may have destroyed the only working secret, and so may a provider's fuse that burnt through
/// while faults kept every runner away: then no end is promised.
final class Invariant5: InvariantChecker {
    func stored(_ old: ClientRecord, _ new: ClientRecord, by process: SimulatedProcess?, in simulation: Simulation) {
        guard let from = old.rotation?.stage, from == .proving || from == .provingRemoved,
            new.rotation?.stage == .completed || new.rotation?.stage == .rolledBack
        else { return }
        let dead = from == .proving ? old.primary.value : old.secondary?.value
        guard let secret = dead.flatMap(simulation.server.secret(withValue:)) else { return }
        let replicas = 0..<simulation.scenario.replicas
        if replicas.contains(where: { simulation.server.accepts(secret, at: $0, simulation.now) }) {
            simulation.violate(5, "\(secret.id) was proven dead and is still accepted")
        }
    }

    func check(_ simulation: Simulation) {
        guard let rotation = simulation.store.record.rotation else { return }
        if (rotation.stage == .needsAttention) != (rotation.attention != nil) {
            simulation.violate(5, "stage \(rotation.stage) with attention \(String(describing: rotation.attention))")
        }
        if let attention = rotation.attention, !isPlausible(attention, simulation) {
            simulation.violate(5, "a person was asked without need: \(attention.cause), \(attention.message)")
        }
    }

    /// Whether the world gives cause for what a person is asked to look at; only causes that leave a trace are judged.
    private func isPlausible(_ attention: Attention, _ simulation: Simulation) -> Bool {
        if simulation.people.hasMeddled { return true }
        let isByHand = simulation.scenario.strategy.description == "manual" || !simulation.scenario.primaryHasID
        return switch attention.cause {
        case .oldStillWorks: isByHand
        case .readBackMismatch: !simulation.store.mangled.isEmpty
        case .ambiguousOrphan: simulation.scenario.capabilities.mintRepair == .attention
        case .undrained, .unproven, .activeRejected, .verificationFailed, .primaryRejected, .quotaFull,
            .providerRefused, .deadlineNear, .unknownSecrets:
            true
        }
    }

    func checkQuiet(_ simulation: Simulation) {
        let record = simulation.store.record
        if record.rotation != nil { simulation.violate(5, "quiet, and a rotation is still in progress") }
        if record.secondary != nil || record.active != .primary {
            simulation.violate(5, "quiet, and the slots are as in the middle of a rotation")
        }
        guard !simulation.people.hasMeddled else { return }
        let isUnprovable = simulation.scenario.capabilities.locksOut && simulation.people.hasSettledUnproven
        if record.lastRotation?.outcome != .completed, !isUnprovable {
            let outcome = record.lastRotation?.outcome.rawValue ?? "nothing"
            simulation.violate(5, "the last rotation, undisturbed, ended as \(outcome)")
        }
        if let value = record.primary.value, let secret = simulation.server.secret(withValue: value),
            secret.truth(at: simulation.now) == .active
        {
            return
        }
        simulation.violate(5, "quiet, and the primary does not work")
    }
}

internal import KeyoverCore

/// Nothing that is not owned is deleted or replaced, and never the last working secret, as of an exchange at most 60 s
/// before.
///
/// Judged when the request leaves, by the record as it is stored at that moment and by exchanges that really took place.
/// What a person deletes at a console is asked for after the gate and is hers to do when she gets to it: for her the
/// second half holds without the 60 s.
final class Invariant4: InvariantChecker {
    private var provedAt: [SecretID: Int64] = [:]

    func proved(_ secret: SimulatedServer.Secret, in simulation: Simulation) {
        provedAt[secret.id] = simulation.now
    }

    func sent(_ write: Intent.Write, by process: SimulatedProcess, in simulation: Simulation) {
        let record = simulation.store.record
        switch write {
        case .remove(let id), .deactivate(let id):
            guard record.owned.contains(where: { $0.secretID == id }) else {
                return simulation.violate(4, "\(id) is taken away and was never owned")
            }
            // Under recovery no secret works, and nobody was given what that rotation has minted.
            guard record.mustProveActive(before: write) else { return }
            guard let active = active(simulation), active.id != id else {
                return simulation.violate(4, "\(id) is taken away while traffic is on it")
            }
            let proved = provedAt[active.id] ?? .min / 2
            if simulation.now - proved > 60_000 {
                simulation.violate(4, "\(id) is taken away, and \(active.id) was last accepted at \(proved)")
            }
        case .add, .reactivate: return
        }
    }

    func removedByHand(_ secret: SimulatedServer.Secret, _ slot: SlotName, in simulation: Simulation) {
        if active(simulation) === secret {
            simulation.violate(4, "a person was asked to delete \(secret.id) while traffic is on it")
        }
    }

    private func active(_ simulation: Simulation) -> SimulatedServer.Secret? {
        simulation.store.record.activeSlot.value.flatMap { simulation.server.secret(withValue: $0) }
    }
}

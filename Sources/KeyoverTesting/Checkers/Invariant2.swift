internal import KeyoverCore

/// No slot is removed before the other was verified after the last switch and that switch's gate opened.
///
/// `--compromised` waives the gate, never the verification. A burnt fuse has already ended the old secret. The gate is
/// judged by the true time and the true leases: it has opened once nobody live lagged behind, every delivery had
/// succeeded and the overlap was over, all at one moment after the switch.
final class Invariant2: InvariantChecker {
    private var provedAt: [SecretID: Int64] = [:]
    private var generation: UInt64 = 0
    private var gateHasOpened = false

    func proved(_ secret: SimulatedServer.Secret, in simulation: Simulation) {
        provedAt[secret.id] = simulation.now
    }

    func sent(_ write: Intent.Write, by process: SimulatedProcess, in simulation: Simulation) {
        let record = simulation.store.record
        switch write {
        case .remove(let id), .deactivate(let id):
            // Under recovery, what the rotation has minted goes again while no secret works; nobody was given it.
            guard record.mustProveActive(before: write) else { return }
            guard let slot = SlotName.allCases.first(where: { record[$0]?.secretID == id }) else { return }
            judge(slot, simulation)
        case .add, .reactivate: return
        }
    }

    func removedByHand(_ secret: SimulatedServer.Secret, _ slot: SlotName, in simulation: Simulation) {
        judge(slot, simulation)
    }

    func check(_ simulation: Simulation) {
        let record = simulation.store.record
        if record.generation != generation {
            generation = record.generation
            gateHasOpened = false
        }
        if !gateHasOpened, isGateOpen(simulation) { gateHasOpened = true }
    }

    func restored(_ backup: SimulatedBackup, in simulation: Simulation) {
        generation = backup.record.generation
        // From these stages traffic never comes back to the slot that goes, whatever happened after the backup.
        let rotation = backup.record.rotation
        switch rotation?.attention?.from ?? rotation?.stage {
        case .retiring, .proving, .removing, .provingRemoved: gateHasOpened = true
        default: gateHasOpened = false
        }
    }

    private func judge(_ slot: SlotName, _ simulation: Simulation) {
        let record = simulation.store.record
        guard let rotation = record.rotation else { return }
        if slot == record.active { return simulation.violate(2, "the active \(slot) is being removed") }
        guard let value = record[slot.other]?.value,
            let other = simulation.server.secret(withValue: value), let proved = provedAt[other.id],
            proved >= simulation.store.switchedAt
        else {
            return simulation.violate(2, "the \(slot) goes before the other was verified after the last switch")
        }
        let hasBurnt = simulation.server.secrets.contains { secret in
            secret.fuse.map { $0 <= simulation.now } ?? false
        }
        guard rotation.switchedAt != nil, rotation.compromised == nil, !hasBurnt, !gateHasOpened else { return }
        simulation.violate(2, "the \(slot) goes though the gate of generation \(generation) has never been open")
    }

    private func isGateOpen(_ simulation: Simulation) -> Bool {
        let record = simulation.store.record
        let overlap = max(simulation.declaredCache, simulation.scenario.policy.minimumOverlap.milliseconds)
        guard simulation.now - simulation.store.switchedAt >= overlap else { return false }
        let accepted = record.rotation?.acceptedUndrained ?? []
        let isDrained = simulation.store.ledger.allSatisfy { entry in
            simulation.now - simulation.trueTime(of: entry.seen) > entry.lease.milliseconds
                || entry.generation >= record.generation || accepted.contains(entry.consumer)
        }
        return isDrained
            && record.registration.deliveries.allSatisfy { target in
                record.rotation?.deliveries.contains {
                    $0.target == target && $0.failure == nil && $0.generation == record.generation
                } ?? true
            }
    }
}

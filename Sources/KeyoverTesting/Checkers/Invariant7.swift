internal import KeyoverCore

/// Two runners: no update is lost, and no provider write is sent outside its claim.
///
/// A claim may be taken over once it stood unchanged for its term plus the longest delay of a commit, by the true time,
/// or at once where the holder is dead and ran on the taker's own host. Assumes that boot clocks are steady.
final class Invariant7: InvariantChecker {
    func stored(_ old: ClientRecord, _ new: ClientRecord, by process: SimulatedProcess?, in simulation: Simulation) {
        for number in 0..<simulation.people.edits where new.registration.labels["edit-\(number + 1)"] == nil {
            simulation.violate(7, "edit \(number + 1) of the admin was lost")
        }
        if new.generation < old.generation { simulation.violate(7, "the generation went back") }
        if let rotation = old.rotation, rotation.id != new.rotation?.id {
            let isArchived =
                new.lastRotation?.id == rotation.id && (new.rotation == nil || new.rotation?.recovery != nil)
            if !isArchived { simulation.violate(7, "a rotation in progress was lost") }
        }
        guard let process, let claim = old.rotation?.claim, !process.nonces.contains(claim.nonce) else { return }
        guard new.rotation?.claim != claim else { return }
        judge(claim, takenBy: process, in: simulation)
    }

    private func judge(_ claim: Claim, takenBy process: SimulatedProcess, in simulation: Simulation) {
        let holder = simulation.processes.first { $0.nonces.contains(claim.nonce) }
        if let holder, !holder.isRunning, holder.host === process.host { return }
        let stood = simulation.now - simulation.trueTime(of: claim.at)
        let due = (claim.term + simulation.scenario.capabilities.commitDelay).milliseconds
        if stood < due {
            simulation.violate(7, "\(process) took over a claim that stood for \(stood) ms, not \(due)")
        }
    }

    func sent(_ write: Intent.Write, by process: SimulatedProcess, in simulation: Simulation) {
        guard let rotation = simulation.store.record.rotation else {
            return simulation.violate(7, "\(write) was sent and no rotation is in progress")
        }
        if rotation.intent?.write != write {
            simulation.violate(7, "\(write) was sent without its intent in the vault")
        }
        guard let claim = rotation.claim, process.nonces.contains(claim.nonce) else {
            return simulation.violate(7, "\(process) sent \(write) and does not hold the claim")
        }
        let age = simulation.now - simulation.trueTime(of: claim.at)
        if age > claim.term.milliseconds {
            simulation.violate(7, "\(process) sent \(write) \(age) ms after its claim")
        }
    }
}

internal import KeyoverCore

/// A value given at t is accepted by every replica of the provider through t + L, L being the reader's declared cache.
///
/// Assumes that readers honour L, that the propagation bound holds, and that nobody changes the provider out of band:
/// it is waived once somebody meddled. `--compromised SLOT` takes the promise back for that slot's secret, since it is
/// said to skip the drain; a provider's own fuse ends secrets whatever readers were promised.
final class Invariant1: InvariantChecker {
    private struct Promise {
        let secret: SimulatedServer.Secret
        var until: Int64
    }

    private var promises: [Promise] = []

    func given(_ value: SecretValue, until: Int64, in simulation: Simulation) {
        guard !simulation.people.hasMeddled else { return }
        guard let secret = simulation.server.secret(withValue: value) else {
            return simulation.violate(1, "a reader was given a value that the provider never made")
        }
        let record = simulation.store.record
        if let leaked = record.rotation?.compromised, record[leaked]?.value == value { return }
        if let index = promises.firstIndex(where: { $0.secret === secret }) {
            promises[index].until = max(promises[index].until, until)
        } else {
            promises.append(Promise(secret: secret, until: until))
        }
    }

    func stored(_ old: ClientRecord, _ new: ClientRecord, by process: SimulatedProcess?, in simulation: Simulation) {
        guard let leaked = new.rotation?.compromised, let value = new[leaked]?.value else { return }
        promises.removeAll { $0.secret.value == value }
    }

    func check(_ simulation: Simulation) {
        if simulation.people.hasMeddled { promises = [] }
        let now = simulation.now
        promises.removeAll { $0.until < now }
        for promise in promises {
            if let fuse = promise.secret.fuse, fuse <= now { continue }
            for replica in 0..<simulation.scenario.replicas
            where !simulation.server.accepts(promise.secret, at: replica, now) {
                simulation.violate(
                    1, "replica \(replica) refuses \(promise.secret.id), which a reader may use until \(promise.until)")
            }
        }
    }
}

internal import KeyoverCore

/// Every secret that Keyover minted is in `owned` until it is gone; once quiet, none is at the provider unknown to the
/// vault.
///
/// Between a mint's commit and its answer the rotation's tags answer for the secret. Assumes that the provider lists
/// secrets with their tags; without tags (`mintRepair` other than by tag) a lost mint is a person's to find. A person
/// who settles a rotation whose mint is still open takes that upon herself. Manual rotations waive it.
final class Invariant3: InvariantChecker {
    private var waivedTags: Set<String> = []
    private var lostAt: Int64?

    func stored(_ old: ClientRecord, _ new: ClientRecord, by process: SimulatedProcess?, in simulation: Simulation) {
        guard let rotation = old.rotation, new.rotation == nil, new.lastRotation?.outcome == .needsAttention else {
            return
        }
        waivedTags.formUnion(rotation.tags)
    }

    /// What was minted after the backup is unknown until a list shows it.
    func restored(_ backup: SimulatedBackup, in simulation: Simulation) {
        lostAt = simulation.now
    }

    func check(_ simulation: Simulation) {
        guard simulation.scenario.capabilities.mintRepair == .removeTagged, lostAt == nil else { return }
        for secret in simulation.server.secrets where isUnknown(secret, simulation) {
            simulation.violate(3, "\(secret.id) was minted and neither an owned secret nor a tag answers for it")
        }
    }

    func checkQuiet(_ simulation: Simulation) {
        guard simulation.scenario.capabilities.mintRepair == .removeTagged else { return }
        for secret in simulation.server.secrets where isMinted(secret, simulation) {
            guard !simulation.store.record.owned.contains(where: { $0.secretID == secret.id }) else { continue }
            simulation.violate(3, "\(secret.id) is at the provider and unknown to the vault")
        }
    }

    private func isMinted(_ secret: SimulatedServer.Secret, _ simulation: Simulation) -> Bool {
        secret.origin == .keyover && secret.truth(at: simulation.now) != .absent
            && !(secret.tag.map(waivedTags.contains) ?? false)
    }

    private func isUnknown(_ secret: SimulatedServer.Secret, _ simulation: Simulation) -> Bool {
        let record = simulation.store.record
        return isMinted(secret, simulation) && !record.owned.contains { $0.secretID == secret.id }
            && !(secret.tag.map { record.rotation?.tags.contains($0) ?? false } ?? false)
    }
}

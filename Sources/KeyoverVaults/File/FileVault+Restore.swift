import KeyoverCore
import KeyoverSealing

extension FileVault {
    /// Makes a vault in a folder out of a backup.
    ///
    /// All is made and checked in a fresh folder beside the place, and appears there by one rename.
    static func restore(at path: String, _ plan: RestorePlan) async throws(VaultError) -> RestoredVault {
        try await Offloaded.run { () throws(VaultError) in
            // Nobody gives new keys, and pins, to a vault that is just giving way.
            let lock = plan.replaces ? try (try? PrivateDirectory(path))?.lock(patience: .seconds(5)) : nil
            defer { withExtendedLifetime(lock) {} }
            let target = try VaultTarget(path, mayReplace: plan.replaces)
            do throws(VaultError) {
                let filling = Filling(plan)
                try target.fill { rows throws(VaultError) in try filling.run(rows) }
                guard let keyring = filling.keyring, let audience = filling.audience else {
                    throw VaultError(.notTrusted, "the backup holds no keys")
                }
                try audience.demandAccess(of: plan.identities)
                try KeyFiles(directory: target.folder, identities: plan.identities)
                    .write(KeyFile(keyring, for: audience))
                let pin = VaultPin(keyring)
                try plan.pinning(pin)
                let replaced = try target.publish()
                return RestoredVault(pin: pin, mark: filling.mark, replaced: replaced)
            } catch {
                target.discard()
                throw error
            }
        }
    }

    /// Fills an empty database from a backup within one transaction.
    private final class Filling {
        private let plan: RestorePlan
        private(set) var keyring: Keyring?
        private(set) var audience: VaultAudience?
        private(set) var mark = VaultMark(epoch: 0, counter: 0)

        init(_ plan: RestorePlan) {
            self.plan = plan
        }

        func run(_ rows: DatabaseRows) throws(VaultError) {
            // Read to the end before anything is published: an error here leaves nothing but a folder to discard.
            let manifest = try plan.read { content in try self.take(content, rows) }
            guard let keyring else { throw VaultError(.notTrusted, "the backup holds no keys") }
            mark = try VaultRoots.plant(
                rows, keyring, at: VaultMark(epoch: keyring.epoch, counter: manifest.mark.counter + 1))
            try FileVault.demandSoundness(VaultReader(rows, keyring, notOlderThan: mark))
        }

        private func take(_ content: BackupContent, _ rows: DatabaseRows) throws {
            switch content {
            case .keys(let file):
                let old = file.keyrings[file.keyrings.count - 1]
                keyring = try old.successor(epoch: max(old.epoch, plan.highest()?.epoch ?? 0) + 1)
                let fresh = plan.others.filter { !file.access.full.contains($0) }
                audience = try VaultAudience(
                    full: file.access.full + fresh,
                    metadataOnly: file.access.metadataOnly.filter { !fresh.contains($0) })
            case .record(let kind, let name, let metadata, let values):
                guard let keyring else { throw VaultError(.notTrusted, "the backup's keys come too late") }
                let sealing = RecordSealing(keyring)
                try rows.put(sealing.sealAnew(kind, name, metadata, values, marking: plan.restoration))
            case .ledger(let client, let entries):
                guard let keyring else { throw VaultError(.notTrusted, "the backup's keys come too late") }
                for entry in entries { try rows.put(RecordSealing(keyring).sealLedgerEntry(entry, of: client)) }
            case .auditLog, .auditBytes:
                break
            }
        }
    }
}

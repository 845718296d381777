public import KeyoverCore
public import KeyoverSealing

extension EntryVault: PortableVault {
    /// Writes a backup of everything: the records as one listing shows them, then what consumers reported.
    public func backUp(
        _ label: BackupLabel, alsoTo others: [X25519Recipient], logs: @escaping @Sendable (BackupWriter) throws -> Void,
        sink: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
    ) async throws(VaultError) -> BackupManifest {
        try sealing.keyring.demandValues(for: "backups")
        let recipients =
            try audience.recipients(knowing: identities) + others.filter { !audience.full.contains(.key($0)) }
        let found = try await allEntries()
        let manifest = BackupManifest(
            vaultID: keys.file.vaultID, mark: mark(of: found.map(\.entry.mark)),
            createdAt: label.createdAt, host: label.host)
        do {
            let writer = try BackupWriter(sealing.keyring, manifest, to: recipients, sink: sink)
            try writer.add(.keys(KeyFile(sealing.keyring, for: audience)))
            for found in found where !found.entry.isRemoval {
                try writer.add(sealing.content(of: found.entry))
                guard found.entry.kind == ClientRecord.kind else { continue }
                let client = try sealing.record(found.entry, as: ClientRecord.self, withValues: false)
                let reports = try await openReports(of: client.id).map(\.opened.entry)
                if !reports.isEmpty { try writer.add(.ledger(client: client.name, entries: reports)) }
            }
            try logs(writer)
            try writer.finish()
            return manifest
        } catch let error as VaultError {
            throw error
        } catch {
            throw VaultError(.unavailable, "the backup could not be written", underlying: error)
        }
    }
}

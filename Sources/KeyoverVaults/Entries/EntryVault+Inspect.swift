public import KeyoverCore
import KeyoverSealing

extension EntryVault: InspectableVault {
    /// What the vault is and how much is in it.
    public func status() async throws(VaultError) -> VaultStatus {
        var records: [String: Int] = [:]
        var (newest, size) = (VaultMark(epoch: sealing.keyring.epoch, counter: 0), 0)
        for stored in try await store.entries(.records) {
            let entry = try sealing.open(stored.bytes, at: nil)
            size += stored.bytes.count
            newest = max(newest, entry.mark)
            if !entry.isRemoval { records[entry.kind, default: 0] += 1 }
        }
        let reports = try await store.entries(.allReports)
        return VaultStatus(
            id: keys.file.vaultID, location: store.location, keyCommitment: Hex.encode(sealing.keyring.commitment),
            mark: newest, highWaterMark: try seen.all().values.max(), audience: keys.file.access,
            opensValues: sealing.keyring.opensValues, records: records, ledgerEntries: reports.count,
            byteCount: reports.reduce(size) { $0 + $1.bytes.count })
    }

    /// Checks every entry, every seal that the keys open, and that nothing is gone or older than this host has seen.
    public func verify() async throws(VaultError) -> VaultVerification {
        var result = VaultVerification()
        result.checkedValues = sealing.keyring.opensValues
        if isBetweenEpochs {
            result.findings.append(
                .init(
                    "the vault was not rekeyed to the end: its key file still has the old keys",
                    remedy: "run keyover vault rekey"))
        }
        var marks = try seen.all()
        for stored in try await store.entries(.records) {
            result.records += 1
            note(&result) { () throws(VaultError) in
                let entry = try sealing.open(stored.bytes, at: nil)
                try seen.check(entry, notOlderThan: marks.removeValue(forKey: SeenEntries.key(of: entry.lookup)))
                try sealing.checkOpens(entry)
                seen.raise(entry)
            }
        }
        for stored in try await store.entries(.allReports) {
            result.ledgerEntries += 1
            note(&result) { () throws(VaultError) in _ = try reports.open(stored.bytes, in: nil) }
        }
        if !marks.isEmpty {
            result.findings.append(
                .init("\(marks.count) records are missing that this host has seen", remedy: VaultError.restoreBackup))
        }
        return result
    }

    private func note(_ result: inout VaultVerification, _ body: () throws(VaultError) -> Void) {
        do {
            try body()
        } catch {
            result.findings.append(.init(error.message, remedy: error.remedy ?? VaultError.restoreBackup))
        }
    }
}

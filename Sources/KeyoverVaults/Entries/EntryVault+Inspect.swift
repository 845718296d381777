public import KeyoverCore
import KeyoverSealing

extension EntryVault: InspectableVault {
    /// What the vault is and how much is in it.
    public func status() async throws(VaultError) -> VaultStatus {
        var records: [String: Int] = [:]
        var present: [String: VaultMark] = [:]
        var size = 0
        for stored in try await store.entries(.records) {
            let entry = try sealing.open(stored.bytes, at: nil)
            size += stored.bytes.count
            present[SeenEntries.key(of: entry.lookup)] = entry.mark
            if !entry.isRemoval { records[entry.kind, default: 0] += 1 }
        }
        let reports = try await store.entries(.allReports)
        return VaultStatus(
            id: keys.file.vaultID, location: store.location, keyCommitment: Hex.encode(sealing.keyring.commitment),
            mark: mark(of: present.values),
            highWaterMark: mark(of: try seen.all().merging(present, uniquingKeysWith: max).values),
            audience: keys.file.access, opensValues: sealing.keyring.opensValues, records: records,
            ledgerEntries: reports.count, byteCount: reports.reduce(size) { $0 + $1.bytes.count })
    }

    /// How far a vault has come whose records have come so far: each change raises the number of one record by one, and
    /// a removed record keeps its number.
    func mark(of entries: some Sequence<VaultMark>) -> VaultMark {
        entries.reduce(VaultMark(epoch: sealing.keyring.epoch, counter: 0)) { sum, mark in
            VaultMark(epoch: max(sum.epoch, mark.epoch), counter: sum.counter &+ mark.counter)
        }
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
        var marks = try seen.floors()
        var sound: [OpenedEntry] = []
        for stored in try await store.entries(.records) {
            result.records += 1
            note(&result) { () throws(VaultError) in
                let entry = try sealing.open(stored.bytes, at: nil)
                try seen.check(entry, notOlderThan: marks.removeValue(forKey: SeenEntries.key(of: entry.lookup)))
                try sealing.checkOpens(entry)
                seen.raise(entry)
                sound.append(entry)
            }
        }
        await checkPublished(sound, &result)
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

    /// Checks what the store gives out in plain for each client, where it does and where the keys open values.
    private func checkPublished(_ entries: [OpenedEntry], _ result: inout VaultVerification) async {
        guard let store = store as? any PublishingStore, sealing.keyring.opensValues else { return }
        for entry in entries {
            do throws(VaultError) {
                let subject = try sealing.subject(of: entry)
                guard subject.kind == ClientRecord.kind else { continue }
                let place = RecordPlace(lookup: entry.lookup, kind: subject.kind, name: subject.name)
                result.findings += try await store.findings(at: place) { [sealing] blob throws(VaultError) in
                    let entry = try sealing.open(blob, at: place.lookup)
                    return entry.isRemoval
                        ? nil : PublishedSecret(try sealing.record(entry, as: ClientRecord.self))
                }
            } catch {
                result.findings.append(.init(error.message, remedy: error.remedy ?? VaultError.restoreBackup))
            }
        }
    }

    private func note(_ result: inout VaultVerification, _ body: () throws(VaultError) -> Void) {
        do {
            try body()
        } catch {
            result.findings.append(.init(error.message, remedy: error.remedy ?? VaultError.restoreBackup))
        }
    }
}

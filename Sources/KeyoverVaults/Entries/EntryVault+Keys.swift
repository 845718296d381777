public import KeyoverCore
public import KeyoverSealing

extension EntryVault: RekeyableVault {
    /// How often all entries are gone through before a rekeying gives up on others who keep changing them.
    private static var passes: Int { 100 }

    /// Who can open the vault, as its key file says.
    public var audience: VaultAudience { keys.file.access }
    /// Whether the key file still holds the keys of two epochs.
    public var isBetweenEpochs: Bool { keys.file.isBetweenEpochs }

    /// Replaces all keys and seals everything anew.
    ///
    /// 1. The key file gets the new keys beside the old ones, for the new audience; from then on nobody stores anything
    /// who has not read it. 2. Configuration pins both. 3. Entry by entry is sealed anew, while readers find either.
    /// 4. Configuration pins the new keys, and the key file drops the old ones.
    public func rekey(
        for audience: VaultAudience, passphrase: ScryptPassphrase?, marking restoration: Restoration?,
        pinning: @Sendable ([[UInt8]]) throws(VaultError) -> Void
    ) async throws(VaultError) -> VaultPin {
        let known = (passphrase.map { [$0] } ?? []) + identities
        let before = try await current()
        let last = before.file.keyrings[before.file.keyrings.count - 1]
        let seenBefore = try seen.all()
        let highest = seenBefore.values.map(\.epoch).max() ?? 0
        let next = try last.successor(epoch: max(last.epoch, highest) + 1)
        if before.file.access.full != [.passphrase] || audience.full == [.passphrase] {
            try audience.demandAccess(of: known)
        }
        let both = try await before.replace(
            by: KeyFile(before.file.keyrings + [next], for: audience), in: store, knowing: known)
        try pinning(both.file.keyrings.map(\.commitment))
        let present = Set(try await resealAll(with: both, restoration).map(SeenEntries.key))
        // What an older copy lacks that is accepted as it is, nobody misses any more.
        if restoration != nil { seen.forget(seenBefore.keys.filter { !present.contains($0) }) }
        try pinning([next.commitment])
        _ = try await both.replace(by: KeyFile(next, for: audience), in: store, knowing: known)
        return VaultPin(next)
    }

    /// Writes the key files with the keys that they hold, for more people.
    public func grant(to audience: VaultAudience) async throws(VaultError) {
        let present = try await current()
        for keyring in present.file.keyrings { try keyring.demandValues(for: "grants") }
        try present.file.access.demandSubset(of: audience)
        _ = try await present.replace(
            by: KeyFile(present.file.keyrings, for: audience), in: store, knowing: identities)
    }

    /// The keys as they lie in the store at this moment, when they are still the ones that this value holds.
    private func current() async throws(VaultError) -> EntryKeys {
        let present = try await EntryKeys.read(store, identities)
        guard present.file.keyrings.last?.commitment == sealing.keyring.commitment else {
            throw VaultError(
                .conflict, "somebody else has rekeyed the vault", remedy: "run the command again", isRetryable: true)
        }
        return present
    }

    /// Goes through all entries until none is left in another epoch; answers where there are records.
    private func resealAll(
        with keys: EntryKeys, _ restoration: Restoration?
    ) async throws(VaultError) -> [[UInt8]] {
        let sealing = EntrySealing(keys.file)
        let reports = ReportSealing(sealing)
        let epoch = sealing.keyring.epoch
        for _ in 0..<Self.passes {
            var left = 0
            var places: [[UInt8]] = []
            for stored in try await store.entries(.records) {
                let entry = try sealing.open(stored.bytes, at: nil)
                places.append(entry.lookup)
                guard entry.epoch != epoch else { continue }
                left += 1
                let blob = try sealing.reseal(entry, marking: restoration)
                try await replace(stored, by: try sealing.renewal(of: entry, blob), keys)
            }
            for stored in try await store.entries(.allReports) {
                let report = try reports.open(stored.bytes, in: nil)
                guard report.epoch != epoch else { continue }
                left += 1
                let blob = try reports.seal(report.entry, in: report.group, serial: report.serial + 1)
                let place = ReportPlace(
                    group: report.group, place: reports.place(of: report.entry.consumer, in: report.group),
                    client: "", consumer: report.entry.consumer.description)
                try await replace(stored, by: Entry(.report(place), blob), keys)
            }
            if left == 0 { return places }
        }
        throw VaultError(
            .unavailable, "others keep changing the vault while it is rekeyed",
            remedy: "run keyover vault rekey again when it is quieter", isRetryable: true)
    }

    /// Stores an entry in the place of one; somebody who was faster is met again in the next pass.
    private func replace(_ stored: StoredEntry, by entry: Entry, _ keys: EntryKeys) async throws(VaultError) {
        do throws(VaultError) {
            try await store.put(entry, expecting: stored.version, while: keys.version)
        } catch {
            guard error.code == .conflict else { throw error }
        }
    }
}

extension EntrySealing {
    /// An entry sealed anew, under the name that it has in its store.
    fileprivate func renewal(of entry: OpenedEntry, _ blob: [UInt8]) throws(VaultError) -> Entry {
        let named = try subject(of: entry)
        let place = RecordPlace(lookup: entry.lookup, kind: named.kind, name: named.name)
        var renewed = Entry(.record(place), blob)
        renewed.isRemoval = entry.isRemoval
        if entry.kind == ClientRecord.kind {
            renewed.published = PublishedSecret(try record(open(blob, at: entry.lookup), as: ClientRecord.self))
        }
        return renewed
    }
}

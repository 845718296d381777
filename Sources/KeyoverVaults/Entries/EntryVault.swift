public import KeyoverCore
public import KeyoverSealing
import Synchronization

/// A vault whose records lie each by itself in a store: what libsecret, etcd and kv have in common.
///
/// Each entry names its place and is authenticated whole, so that none can be changed, exchanged or made up. A host
/// remembers how far each entry had come that it has seen, and refuses one that is older or gone. There is no root over
/// all entries, since every write would have to change it: what a host has never seen can be hidden from it.
///
/// The vault's keys lie in the store too, as the same age file that a file vault has, and configuration pins them.
public final class EntryVault<Store: EntryStore>: Vault {
    /// How often a report is merged anew because another one came between.
    private static var reportAttempts: Int { 100 }

    /// The vault's id, as pinned by configuration.
    public var id: String { keys.file.vaultID.description }
    /// The store's word.
    public var backend: String { store.backend }

    let store: Store
    /// The keys as they were when the vault was opened.
    let keys: EntryKeys
    let sealing: EntrySealing
    let reports: ReportSealing
    let seen: SeenEntries
    /// Who opened the vault, and can write its key file again.
    public let identities: [any AgeIdentity]
    private let keysVersion: Mutex<EntryVersion>

    /// Opens the vault in a store; nothing is written.
    public static func open(_ store: Store, _ access: VaultAccess) async throws(VaultError) -> EntryVault {
        let keys = try await EntryKeys.read(store, access.identities)
        try access.pin?.check(keys.file)
        return EntryVault(store, keys, access)
    }

    private init(_ store: Store, _ keys: EntryKeys, _ access: VaultAccess) {
        self.store = store
        self.keys = keys
        sealing = EntrySealing(keys.file)
        reports = ReportSealing(sealing)
        seen = SeenEntries(
            access.stateDirectory, vaultID: keys.file.vaultID, isBinding: !access.acceptsOlder)
        identities = access.identities
        keysVersion = Mutex(keys.version)
    }

    /// The record of a name with its values; without the value key, with no values in it.
    public func read<Record: VaultRecord>(_ name: Name<Record>) async throws(VaultError) -> Versioned<Record>? {
        guard let found = try await find(name), !found.entry.isRemoval else { return nil }
        return Versioned(try sealing.record(found.entry, as: Record.self), found.entry.revision)
    }

    /// Stores the record when its revision is still the expected one.
    public func write<Record: VaultRecord>(
        _ record: Record, expecting revision: Revision?
    ) async throws(VaultError) -> Revision {
        try sealing.keyring.demandValues(for: "changes")
        let found = try await find(record.name)
        try expect(revision, found, record.name)
        let blob = try sealing.seal(record, after: found?.entry)
        let sealed = try sealing.open(blob, at: nil)
        var entry = Entry(.record(place(record.name)), blob)
        entry.published = (record as? ClientRecord).flatMap(PublishedSecret.init)
        try await put(entry, expecting: found?.version)
        seen.raise(sealed)
        return sealed.revision
    }

    /// Removes the record when its revision is still the expected one; a client's reports go with it.
    public func delete<Record: VaultRecord>(
        _ name: Name<Record>, expecting revision: Revision
    ) async throws(VaultError) {
        try sealing.keyring.demandValues(for: "changes")
        guard let found = try await find(name) else { throw VaultError.changedMeanwhile("\(Record.kind) \(name)") }
        try expect(revision, found, name)
        let blob = try sealing.sealRemoval(of: found.entry)
        var entry = Entry(.record(place(name)), blob)
        entry.isRemoval = true
        try await put(entry, expecting: found.version)
        seen.raise(try sealing.open(blob, at: nil))
        guard let client = name as? ClientName else { return }
        // What a crash leaves here nobody finds again: the next client of this name has another id.
        for report in try await openReports(of: found.entry.id) {
            try? await store.remove(place(report.opened.entry.consumer, of: client, report), expecting: report.version)
        }
    }

    /// All records of a kind without their values, ordered by name.
    public func summaries<Record: VaultRecord>(
        _ type: Record.Type
    ) async throws(VaultError) -> [Versioned<Record>] {
        var records: [Versioned<Record>] = []
        for found in try await allEntries() where found.entry.kind == Record.kind {
            let record = try sealing.record(found.entry, as: type, withValues: false)
            records.append(Versioned(record, found.entry.revision))
        }
        return records.sorted { $0.record.name < $1.record.name }
    }

    /// Adds what a consumer reports to the ledger of a client that exists.
    public func acknowledge(_ entry: LedgerEntry, of client: ClientName) async throws(VaultError) {
        guard let found = try await find(client), !found.entry.isRemoval else {
            throw VaultError(.invalid, "there is no client \(client)", remedy: "run keyover client list")
        }
        let group = reports.group(of: found.entry.id)
        let name = EntryName.report(
            ReportPlace(
                group: group, place: reports.place(of: entry.consumer, in: group), client: client.description,
                consumer: entry.consumer.description))
        // Whoever is in the way has stored a report: among so many somebody gets on each time.
        var attempts = 0
        while true {
            attempts += 1
            let present = try await store.entry(name)
            let known = try present.map { present throws(VaultError) in try reports.open(present.bytes, in: group) }
            let merged = known?.entry.merged(with: entry) ?? entry
            if merged == known?.entry { return }
            let blob = try reports.seal(merged, in: group, serial: (known?.serial ?? 0) + 1)
            do throws(VaultError) {
                return try await put(Entry(name, blob), expecting: present?.version)
            } catch {
                guard error.code == .conflict, attempts < Self.reportAttempts else { throw error }
            }
        }
    }

    /// What the consumers of a client have reported, ordered by consumer.
    public func ledger(of client: ClientName) async throws(VaultError) -> [LedgerEntry] {
        guard let found = try await find(client), !found.entry.isRemoval else { return [] }
        return try await openReports(of: found.entry.id).map(\.opened.entry).sorted { $0.consumer < $1.consumer }
    }

    /// Forgets a consumer of a client; nothing happens when it is not there.
    public func forget(_ consumer: ConsumerName, of client: ClientName) async throws(VaultError) {
        try sealing.keyring.demandValues(for: "changes")
        guard let found = try await find(client), !found.entry.isRemoval else { return }
        for report in try await openReports(of: found.entry.id) where report.opened.entry.consumer == consumer {
            try await store.remove(place(consumer, of: client, report), expecting: report.version)
        }
    }

    /// A key for one purpose, the same for the vault's whole life.
    public func derivedKey(for purpose: KeyPurpose) async throws(VaultError) -> SecretValue {
        try sealing.keyring.derivedKey(for: purpose)
    }
}

// MARK: Entries, opened

extension EntryVault {
    struct Found {
        let entry: OpenedEntry
        let version: EntryVersion
    }

    struct FoundReport {
        let opened: OpenedReport
        let version: EntryVersion
    }

    func place<Record: VaultRecord>(_ name: Name<Record>) -> RecordPlace {
        RecordPlace(lookup: sealing.lookup(name), kind: Record.kind, name: name.description)
    }

    private func place(_ consumer: ConsumerName, of client: ClientName, _ report: FoundReport) -> EntryName {
        .report(
            ReportPlace(
                group: report.opened.group, place: reports.place(of: consumer, in: report.opened.group),
                client: client.description, consumer: consumer.description))
    }

    private func find<Record: VaultRecord>(_ name: Name<Record>) async throws(VaultError) -> Found? {
        let place = place(name)
        // The mark is read before the store, which can only be newer by then.
        let floor = try seen.floor(of: place.lookup)
        guard let stored = try await store.entry(.record(place)) else {
            guard floor == nil else { throw VaultError.tampered("\(Record.kind) \(name) is missing") }
            return nil
        }
        let entry = try sealing.open(stored.bytes, at: place.lookup)
        try seen.check(entry, notOlderThan: floor)
        seen.raise(entry)
        return Found(entry: entry, version: stored.version)
    }

    /// Every entry, those of removed records too, checked against what this host has seen.
    func allEntries() async throws(VaultError) -> [Found] {
        let floors = try seen.floors()
        var found: [Found] = []
        var places: Set<[UInt8]> = []
        for stored in try await store.entries(.records) {
            let entry = try sealing.open(stored.bytes, at: nil)
            guard places.insert(entry.lookup).inserted else { throw VaultError.tampered("an entry is there twice") }
            try seen.check(entry, notOlderThan: floors[SeenEntries.key(of: entry.lookup)])
            found.append(Found(entry: entry, version: stored.version))
        }
        let present = Set(places.map(SeenEntries.key))
        guard floors.keys.allSatisfy(present.contains) else { throw VaultError.tampered("a record is missing") }
        return found
    }

    func openReports(of client: UUIDv7) async throws(VaultError) -> [FoundReport] {
        let group = reports.group(of: client)
        var found: [FoundReport] = []
        for stored in try await store.entries(.reports(group)) {
            found.append(FoundReport(opened: try reports.open(stored.bytes, in: group), version: stored.version))
        }
        return found
    }

    /// Stores an entry while the vault's keys are the ones it was sealed with; who can open them may have changed.
    private func put(_ entry: Entry, expecting version: EntryVersion?) async throws(VaultError) {
        do throws(VaultError) {
            try await store.put(entry, expecting: version, while: keysVersion.withLock { $0 })
        } catch {
            guard error.code == .rekeyed else { throw error }
            let present = try await EntryKeys.read(store, identities)
            guard present.file.keyrings.last?.commitment == sealing.keyring.commitment else { throw error }
            keysVersion.withLock { $0 = present.version }
            try await store.put(entry, expecting: version, while: present.version)
        }
    }

    private func expect<Record: VaultRecord>(
        _ revision: Revision?, _ found: Found?, _ name: Name<Record>
    ) throws(VaultError) {
        let present = found.flatMap { $0.entry.isRemoval ? nil : $0.entry.revision }
        guard revision == present else { throw VaultError.changedMeanwhile("\(Record.kind) \(name)") }
    }
}

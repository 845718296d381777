import FoundationEssentials
public import KeyoverCore
public import KeyoverSealing

/// Entries in a KV engine of version 2, where any client of the server can read a client's active secret.
///
/// ```
/// PREFIX/clients/NAME                 client_id, client_secret, generation, token_url, keyover_record
/// PREFIX/keyover/keys                 keyover_record
/// PREFIX/keyover/metadata-keys        keyover_record
/// PREFIX/keyover/records/HASH         keyover_record     tenants and hosts
/// PREFIX/keyover/reports/HASH/HASH    keyover_record     what consumers reported
/// ```
///
/// **Swap.** Check-and-set on the engine's version, zero for an entry that was never there. A version that somebody else
/// deleted or destroyed is neither taken for nothing nor written over.
///
/// **History.** The engine keeps old versions, and those of a client give out secrets that were retired. Before an entry is
/// stored, every version below its newest one is destroyed, and seen to be; the one just replaced is destroyed after it.
/// So the version that a write replaces is the only old one there can be, and a rotation that writes once more after
/// its cut-over leaves nothing of the retired secret.
///
/// **Removal.** Nothing is taken away: a version without content is put on top, on which the next one goes. The role
/// needs no power to delete.
public struct KVStore: EntryStore {
    /// `kv`.
    public let backend = "kv"
    /// The place, for people.
    public var location: VaultURL { client.location.url }

    let client: KVClient
    let patience: TimeSpan

    init(_ url: VaultURL, _ reach: VaultReach) throws(VaultError) {
        client = try KVClient(try KVLocation(url), reach)
        patience = reach.patience
    }

    /// The entry of a name.
    public func entry(_ name: EntryName) async throws(VaultError) -> StoredEntry? {
        try await state(name.path, KVDeadline(patience)).entry
    }

    /// Stores an entry when what is there has the expected version.
    public func put(
        _ entry: Entry, expecting version: EntryVersion?, while keys: EntryVersion?
    ) async throws(VaultError) {
        try await replace(
            entry.name, by: KVFields.body(of: entry), expecting: version, while: keys, KVDeadline(patience))
    }

    /// Removes an entry when it has the expected version.
    public func remove(_ name: EntryName, expecting version: EntryVersion) async throws(VaultError) {
        try await replace(name, by: KVFields.removal, expecting: version, while: nil, KVDeadline(patience))
    }

    private func replace(
        _ name: EntryName, by fields: KVBody, expecting version: EntryVersion?, while keys: EntryVersion?,
        _ deadline: KVDeadline
    ) async throws(VaultError) {
        let path = name.path
        let present: KVVersion?
        if let version {
            guard let known = KVVersion(version) else { throw .changedMeanwhile(client.location.path(.data, path)) }
            present = known
        } else {
            let state = try await state(path, deadline)
            guard state.entry == nil else { throw .changedMeanwhile(client.location.path(.data, path)) }
            present = state.version
        }
        if let present, name.hasHistory { try await clearHistory(path, below: present, deadline) }
        if let keys, try await state(EntryName.keys.path, deadline).entry?.version != keys { throw .rekeyedMeanwhile }
        try await client.store(fields, path, onTopOf: present?.number ?? 0, deadline)
        // What is not destroyed now is before the next write.
        if let present, name.hasHistory { try? await client.destroy([present.number], path, deadline) }
    }

    /// Destroys what is left of versions below the newest one, which has to be the expected one.
    private func clearHistory(
        _ path: String, below expected: KVVersion, _ deadline: KVDeadline
    ) async throws(VaultError) {
        let metadata = try await checkedMetadata(path, expected, deadline)
        guard !metadata.leftovers.isEmpty else { return }
        try await client.destroy(metadata.leftovers, path, deadline)
        guard try await checkedMetadata(path, expected, deadline).leftovers.isEmpty else {
            throw VaultError(
                .unavailable, "old versions of \(client.location.path(.data, path)) could not be destroyed",
                remedy: "run the command again, and look into the log of the server", isRetryable: true)
        }
    }

    private func checkedMetadata(
        _ path: String, _ expected: KVVersion, _ deadline: KVDeadline
    ) async throws(VaultError) -> KVAnswers.Metadata {
        guard let metadata = try await client.metadata(path, deadline), metadata.current == expected.number,
            let newest = metadata.versions["\(expected.number)"], newest.createdAt == expected.createdAt
        else { throw .changedMeanwhile(client.location.path(.data, path)) }
        guard newest.isReadable else {
            throw client.failures.gone(expected.number, isDestroyed: newest.isDestroyed, path)
        }
        return metadata
    }
}

extension KVStore: TracelessStore {
    /// Removes all that the engine knows of an entry; where the policy does not allow that, a mark without content stays.
    public func removeTrace(of name: EntryName) async throws(VaultError) {
        do throws(VaultError) {
            try await client.forget(name.path, KVDeadline(patience))
        } catch {
            guard error.code == .locked else { throw error }
        }
    }
}

// MARK: What lies at a path

extension KVStore {
    /// What lies at a path.
    struct State: Sendable {
        /// The entry, where there is one.
        var entry: StoredEntry?
        /// The version that the next one goes on; `nil` where there never was one.
        var version: KVVersion?
    }

    /// What lies at a path now.
    func state(_ path: String, _ deadline: KVDeadline) async throws(VaultError) -> State {
        guard let (reading, _) = try await client.read(path, deadline) else { return State() }
        return try state(reading, path)
    }

    /// What a reading says.
    func state(_ reading: KVAnswers.Reading, _ path: String) throws(VaultError) -> State {
        guard let metadata = reading.metadata, let number = metadata.version, number > 0,
            let version = KVVersion(number, metadata.createdAt)
        else { throw client.failures.noEngine }
        guard let fields = reading.data, !metadata.isDestroyed else {
            throw client.failures.gone(number, isDestroyed: metadata.isDestroyed, path)
        }
        if fields.removed != nil { return State(version: version) }
        guard let text = fields.record, let blob = Data(base64Encoded: text) else {
            throw client.failures.foreign(path)
        }
        return State(entry: StoredEntry(Array(blob), version.mark), version: version)
    }
}

/// A version of an entry: its number and the server's time of its making, so that a number that comes again, because
/// somebody removed all that the engine knew of the entry, is told from the first one.
struct KVVersion: Sendable {
    /// The number.
    let number: Int
    /// When the server made it, in its own words.
    let createdAt: String

    /// A version; `nil` when the server's words are too many.
    init?(_ number: Int, _ createdAt: String) {
        guard createdAt.utf8.count <= 64, !createdAt.contains(" ") else { return nil }
        self.number = number
        self.createdAt = createdAt
    }

    /// The version behind a mark.
    init?(_ mark: EntryVersion) {
        let parts = mark.description.split(separator: " ")
        guard parts.count == 2, let number = Int(parts[0]) else { return nil }
        self.init(number, String(parts[1]))
    }

    /// The mark of the version.
    var mark: EntryVersion { EntryVersion("\(number) \(createdAt)") }
}

extension EntryName {
    /// Where the entry lies below the prefix.
    var path: String {
        switch self {
        case .keys: "keyover/keys"
        case .metadataKeys: "keyover/metadata-keys"
        case .record(let place) where place.kind == ClientRecord.kind: "clients/\(place.name)"
        case .record(let place): "keyover/records/\(Hex.encode(place.lookup))"
        case .report(let place): "keyover/reports/\(Hex.encode(place.group))/\(Hex.encode(place.place))"
        }
    }

    /// Whether old versions are destroyed: of all but reports, which hold no secret and are written often.
    var hasHistory: Bool {
        if case .report = self { return false }
        return true
    }
}

public import KeyoverCore
public import KeyoverSealing

/// A place that keeps sealed entries, each swapped by itself: all that a backend has to be besides the file vault.
///
/// ``EntryVault`` does the sealing, the checking and the counting; a store only carries bytes. Nothing that it answers is
/// trusted.
///
/// **Swap.** `put` and `remove` take the version that was read. When the entry has changed since, they throw `.conflict`
/// and change nothing. Of several at once exactly one succeeds. After `.unavailable` the caller does not know whether the
/// change took place; a store never sends a change twice.
///
/// **Blocking.** Each call ends within the patience that the store was opened with, and never prompts.
public protocol EntryStore: Sendable {
    /// The backend's registered word, such as `etcd`.
    var backend: String { get }
    /// The place, for people.
    var location: VaultURL { get }

    /// The entry of a name, or `nil` when there is none.
    func entry(_ name: EntryName) async throws(VaultError) -> StoredEntry?

    /// All entries of a group, in no particular order, each once.
    func entries(_ group: EntryGroup) async throws(VaultError) -> [StoredEntry]

    /// Stores an entry when what is there has the expected version; `nil` expects that there is nothing.
    ///
    /// - Parameter keys: The version of ``EntryName/keys`` that must still stand, or the change is refused with `.rekeyed`:
    ///   in the same step where the backend can tell, and right before it where it cannot.
    func put(
        _ entry: Entry, expecting version: EntryVersion?, while keys: EntryVersion?
    ) async throws(VaultError)

    /// Removes an entry when it has the expected version.
    func remove(_ name: EntryName, expecting version: EntryVersion) async throws(VaultError)
}

/// A store that tells when entries change.
public protocol WatchableStore: EntryStore {
    /// The blob of each record that changed, from the moment of the call on; the stream may repeat itself but misses
    /// nothing: where it has to begin anew, it begins with all records. It ends by throwing only.
    func changedRecords() -> AsyncThrowingStream<[UInt8], any Error>
}

/// A store that keeps something of an entry that was removed, and can let go of that as well; for vaults that were there
/// for a while only (``TemporaryVault``).
public protocol TracelessStore: EntryStore {
    /// Lets go of what is left of a removed entry.
    func removeTrace(of name: EntryName) async throws(VaultError)
}

/// A store that can answer from what it has while it cannot prove that nobody has anything newer; see
/// ``StaleReadingVault``.
public protocol StaleReadingStore: EntryStore {
    /// How old such an answer may be; zero where there are none.
    var longestStaleness: TimeSpan { get }
    /// How old the oldest such answer of this handle may have been; `nil` while all were proven to be the newest.
    var staleness: TimeSpan? { get }
}

/// What an entry is called.
public enum EntryName: Hashable, Sendable {
    /// The vault's key file, in age's format.
    case keys
    /// The key file for those who were granted metadata only.
    case metadataKeys
    /// A record.
    case record(RecordPlace)
    /// What a consumer reported about a client.
    case report(ReportPlace)
}

/// Where a record lies: under a hash that tells nothing, with what it is for backends that people look into.
public struct RecordPlace: Hashable, Sendable {
    /// The keyed hash of kind and name (32 bytes).
    public let lookup: [UInt8]
    /// The kind of record, such as `client`.
    public let kind: String
    /// The record's name, safe in a path.
    public let name: String
}

/// Where a report lies: under hashes that tell nothing, with what it is for backends that people look into.
public struct ReportPlace: Hashable, Sendable {
    /// The keyed hash of the client's record id (32 bytes).
    public let group: [UInt8]
    /// The keyed hash of the consumer's name (32 bytes).
    public let place: [UInt8]
    /// The client's name.
    public let client: String
    /// The consumer's name.
    public let consumer: String
}

/// Entries that are listed together.
public enum EntryGroup: Hashable, Sendable {
    /// All records.
    case records
    /// All reports about a client, by the keyed hash of its record's id.
    case reports([UInt8])
    /// All reports.
    case allReports
}

/// An entry to be stored.
public struct Entry: Sendable {
    /// Its name.
    public let name: EntryName
    /// The sealed bytes.
    public let bytes: [UInt8]
    /// What a client gives out, for backends that other programs read it from; `nil` where nothing is to be given out.
    public var published: PublishedSecret?
    /// Whether the entry only stands for a record that was removed.
    public var isRemoval = false

    /// An entry of a name.
    public init(_ name: EntryName, _ bytes: [UInt8], published: PublishedSecret? = nil) {
        self.name = name
        self.bytes = bytes
        self.published = published
    }
}

/// The active secret of a client, with what an application needs to use it.
public struct PublishedSecret: Sendable {
    /// The client id that goes with the secret.
    public let clientID: String
    /// The secret.
    public let secret: SecretValue
    /// The generation.
    public let generation: UInt64
    /// The token endpoint, when the client has one of its own.
    public let tokenURL: String?

    /// What a record gives out; `nil` for one that is to give out nothing.
    public init?(_ record: ClientRecord) {
        guard (try? record.requireVerified()) != nil, let secret = record.activeSlot.value else { return nil }
        clientID = record.activeSlot.clientID
        self.secret = secret
        generation = record.generation
        tokenURL = record.registration.tokenURL
    }
}

/// An entry that a store holds.
public struct StoredEntry: Sendable {
    /// The sealed bytes.
    public let bytes: [UInt8]
    /// Its version.
    public let version: EntryVersion

    /// An entry as found.
    public init(_ bytes: [UInt8], _ version: EntryVersion) {
        self.bytes = bytes
        self.version = version
    }
}

/// A store's mark of one version of an entry, compared only for equality.
public struct EntryVersion: Hashable, Sendable, CustomStringConvertible {
    /// The mark as text.
    public let description: String

    /// A mark made by a store.
    public init(_ description: String) {
        self.description = description
    }
}

extension VaultError {
    /// What a store throws when an entry is not the one that was expected.
    static func changedMeanwhile(_ what: String) -> VaultError {
        VaultError(
            .conflict, "\(what) was changed meanwhile", remedy: "run the command again", isRetryable: true)
    }

    /// What a store throws when the vault has other keys by now.
    static let rekeyedMeanwhile = VaultError(
        .rekeyed, "the vault's keys were changed meanwhile", remedy: "run the command again", isRetryable: true)
}

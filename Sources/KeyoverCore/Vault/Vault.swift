/// Where records live: every backend keeps this contract, and the conformance suite holds it to it.
///
/// **Atomicity.** A record is written whole or not at all; after a crash at any instant a reader finds the old or the
/// new record, never a mixture and never nothing. There is no transaction over two records.
///
/// **Compare-and-swap.** `write` and `delete` take the revision that the caller read. If the record has changed since,
/// they throw `.conflict` and change nothing; the caller reads again and decides anew. A revision is never used twice,
/// not by deleting and creating again and not by restoring a backup. After `.unavailable` or a crash the caller does not
/// know whether its write took place and must read.
///
/// **Blocking.** Each call is bounded: a busy or absent backend gives `.unavailable` within the backend's time limit
/// (5 seconds unless configured otherwise). No call ever prompts.
///
/// **Trust.** What a backend returns was sealed by this vault for this very record: a changed, swapped, truncated or
/// rolled-back store gives `.notTrusted`.
public protocol Vault: Sendable {
    /// The vault's id, pinned by configuration.
    var id: String { get }
    /// The backend's registered word, such as `file`.
    var backend: String { get }

    /// The record of a name with its values, or `nil` when there is none.
    ///
    /// Without the value key the record comes with no values in it.
    func read<Record: VaultRecord>(_ name: Name<Record>) async throws(VaultError) -> Versioned<Record>?

    /// Stores the record when its revision is still the expected one; `nil` expects that there is none.
    func write<Record: VaultRecord>(
        _ record: Record, expecting revision: Revision?
    ) async throws(VaultError) -> Revision

    /// Removes the record when its revision is still the expected one.
    func delete<Record: VaultRecord>(_ name: Name<Record>, expecting revision: Revision) async throws(VaultError)

    /// All records of a kind without their values, ordered by name; no value is decrypted.
    func summaries<Record: VaultRecord>(_ type: Record.Type) async throws(VaultError) -> [Versioned<Record>]

    /// Adds what a consumer reports to the client's ledger, merged with what is there (``LedgerEntry/merged(with:)``).
    ///
    /// The ledger lies beside the records: this call conflicts with no runner, and no runner with it.
    func acknowledge(_ entry: LedgerEntry, of client: ClientName) async throws(VaultError)

    /// What the consumers of a client have reported, ordered by consumer.
    func ledger(of client: ClientName) async throws(VaultError) -> [LedgerEntry]

    /// Forgets a consumer of a client; nothing happens when it is not there.
    func forget(_ consumer: ConsumerName, of client: ClientName) async throws(VaultError)

    /// A key of 32 bytes for one purpose, the same for the vault's whole life, rekeying included.
    func derivedKey(for purpose: KeyPurpose) async throws(VaultError) -> SecretValue
}

/// A vault that tells when something changes.
public protocol WatchableVault: Vault {
    /// A name of a client each time its generation or stage changed; the stream may repeat itself but misses nothing.
    func changes() -> AsyncThrowingStream<ClientName, any Error>
}

/// A vault that can answer from what it has while it cannot prove that nobody has anything newer.
///
/// Only who asks for it at opening gets such answers, to read and for nothing else. A rotation counts their age among
/// the times for which readers may keep a secret.
public protocol StaleReadingVault: Vault {
    /// How old such an answer may be, at most, on any host; zero where there are none.
    var longestStaleness: TimeSpan { get }
    /// How old the oldest such answer of this handle may have been; `nil` while all were proven to be the newest.
    var staleness: TimeSpan? { get }
}

/// What a derived key is for.
public enum KeyPurpose: String, CaseIterable, Sendable {
    /// Fingerprints of secret values.
    case fingerprint
    /// The chain of the audit log.
    case audit
}

/// A backend's mark of one version of a record, compared only for equality.
public struct Revision: Hashable, Sendable, CustomStringConvertible {
    /// The mark as text.
    public let description: String

    /// A mark made by a backend.
    public init(_ description: String) {
        self.description = description
    }
}

/// A record with the revision it was read at.
public struct Versioned<Record: Sendable>: Sendable {
    /// The record.
    public var record: Record
    /// Its revision.
    public let revision: Revision

    /// A record read at a revision.
    public init(_ record: Record, _ revision: Revision) {
        self.record = record
        self.revision = revision
    }
}

import Foundation
public import KeyoverCore
import KeyoverSealing
import Synchronization

/// A vault in the memory of one process, for tests: it keeps the whole contract but durability and trust.
///
/// Records pass through the codec as in any other backend, so what does not survive being written is noticed here too.
public final class MemoryVault: Vault {
    private struct Key: Hashable {
        let kind: String
        let name: String
    }

    private struct Entry {
        let metadata: Data
        let values: [String: SecretValue]
        let serial: UInt64
    }

    private struct State {
        var serial: UInt64 = 0
        var records: [Key: Entry] = [:]
        var ledger: [ClientName: [ConsumerName: LedgerEntry]] = [:]
    }

    /// The vault's id.
    public var id: String { keyring.vaultID.description }
    /// `memory`.
    public let backend = "memory"

    private let keyring: Keyring
    private let codec = RecordCodec.standard
    private let state = Mutex(State())

    /// An empty vault with fresh keys.
    public init(id: UUIDv7) {
        keyring = Keyring.generate(vaultID: id)
    }

    /// The record of a name with its values.
    public func read<Record: VaultRecord>(_ name: Name<Record>) async throws(VaultError) -> Versioned<Record>? {
        guard let entry = state.withLock({ $0.records[Self.key(name)] }) else { return nil }
        return try open(entry, as: Record.self, withValues: true)
    }

    /// Stores the record when its revision is still the expected one.
    public func write<Record: VaultRecord>(
        _ record: Record, expecting revision: Revision?
    ) async throws(VaultError) -> Revision {
        let (metadata, values) = (try codec.encode(record), record.secrets)
        guard values.values.allSatisfy({ $0.count <= RecordSealing.valueLimit }) else {
            throw VaultError(.tooLarge, "a value of \(Record.kind) \(record.name) exceeds 1 MiB")
        }
        return try state.withLock { state throws(VaultError) in
            let key = Self.key(record.name)
            try Self.expect(revision, state.records[key], record.name)
            state.serial += 1
            state.records[key] = Entry(metadata: metadata, values: values, serial: state.serial)
            return Self.revision(state.serial)
        }
    }

    /// Removes the record when its revision is still the expected one; a client's ledger goes with it.
    public func delete<Record: VaultRecord>(
        _ name: Name<Record>, expecting revision: Revision
    ) async throws(VaultError) {
        try state.withLock { state throws(VaultError) in
            try Self.expect(revision, state.records[Self.key(name)], name)
            state.records[Self.key(name)] = nil
            if let client = name as? ClientName { state.ledger[client] = nil }
        }
    }

    /// All records of a kind without their values, ordered by name.
    public func summaries<Record: VaultRecord>(
        _ type: Record.Type
    ) async throws(VaultError) -> [Versioned<Record>] {
        let entries = state.withLock { state in state.records.filter { $0.key.kind == Record.kind }.map(\.value) }
        var records: [Versioned<Record>] = []
        for entry in entries { records.append(try open(entry, as: type, withValues: false)) }
        return records.sorted { $0.record.name < $1.record.name }
    }

    /// Adds what a consumer reports to the ledger of a client that exists.
    public func acknowledge(_ entry: LedgerEntry, of client: ClientName) async throws(VaultError) {
        try state.withLock { state throws(VaultError) in
            guard state.records[Self.key(client)] != nil else {
                throw VaultError(.invalid, "there is no client \(client)", remedy: "run keyover client list")
            }
            let present = state.ledger[client]?[entry.consumer]
            state.ledger[client, default: [:]][entry.consumer] = present?.merged(with: entry) ?? entry
        }
    }

    /// What the consumers of a client have reported, ordered by consumer.
    public func ledger(of client: ClientName) async throws(VaultError) -> [LedgerEntry] {
        state.withLock { $0.ledger[client].map { Array($0.values) } ?? [] }.sorted { $0.consumer < $1.consumer }
    }

    /// Forgets a consumer of a client.
    public func forget(_ consumer: ConsumerName, of client: ClientName) async throws(VaultError) {
        state.withLock { $0.ledger[client]?[consumer] = nil }
    }

    /// A key for one purpose, the same for the vault's whole life.
    public func derivedKey(for purpose: KeyPurpose) async throws(VaultError) -> SecretValue {
        try keyring.derivedKey(for: purpose)
    }

    private func open<Record: VaultRecord>(
        _ entry: Entry, as type: Record.Type, withValues: Bool
    ) throws(VaultError) -> Versioned<Record> {
        var record = try codec.decode(entry.metadata, as: type)
        if withValues { record.secrets = entry.values }
        return Versioned(record, Self.revision(entry.serial))
    }

    private static func expect<Record: VaultRecord>(
        _ revision: Revision?, _ present: Entry?, _ name: Name<Record>
    ) throws(VaultError) {
        guard revision == present.map({ Self.revision($0.serial) }) else {
            throw VaultError(
                .conflict, "\(Record.kind) \(name) was changed meanwhile", remedy: "run the command again",
                isRetryable: true)
        }
    }

    private static func key<Record: VaultRecord>(_ name: Name<Record>) -> Key {
        Key(kind: Record.kind, name: name.description)
    }

    private static func revision(_ serial: UInt64) -> Revision { Revision("memory.\(serial)") }
}

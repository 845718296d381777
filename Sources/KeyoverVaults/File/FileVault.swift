import GRDB
public import KeyoverCore
public import KeyoverSealing
import Synchronization

/// A vault in a folder: one SQLite database of sealed rows, and beside it the key file in age's format.
///
/// Reading writes nothing. Every read proves what it answers by the tree up to the sealed root, and refuses a state
/// older than one that this process or, through the high-water mark, this host has seen.
public final class FileVault: Vault {
    /// The vault's id, as pinned by configuration.
    public var id: String { keyring.vaultID.description }
    /// `file`.
    public var backend: String { FileBackend.scheme }

    /// The keys in force.
    public let keyring: Keyring
    let folder: VaultFolder
    let connections: Connections
    /// Who opened the vault, and can write its key file again.
    public let identities: [any AgeIdentity]
    /// Whether the host's mark is passed over, so that an older copy of the vault can be accepted for good.
    let acceptsOlder: Bool
    private let seen: Mutex<VaultMark>

    /// Opens the vault in a folder.
    public static func open(at path: String, _ access: VaultAccess) async throws(VaultError) -> FileVault {
        try await Offloaded.run { () throws(VaultError) in try FileVault(path, access) }
    }

    private init(_ path: String, _ access: VaultAccess) throws(VaultError) {
        identities = access.identities
        folder = try VaultFolder(path, identities: access.identities, stateDirectory: access.stateDirectory)
        connections = try Connections(folder.databasePath, patience: access.reach.patience)
        keyring = try folder.keyring(of: connections.readNow { try $0.vault() }, access.pin)
        seen = Mutex(VaultMark(epoch: 0, counter: 0))
        acceptsOlder = access.acceptsOlder
    }

    /// The record of a name with its values; without the value key, with no values in it.
    public func read<Record: VaultRecord>(_ name: Name<Record>) async throws(VaultError) -> Versioned<Record>? {
        try await reading { reader throws(VaultError) in try reader.read(name) }
    }

    /// Stores the record when its revision is still the expected one.
    public func write<Record: VaultRecord>(
        _ record: Record, expecting revision: Revision?
    ) async throws(VaultError) -> Revision {
        try await writing { writer throws(VaultError) in try writer.write(record, expecting: revision) }
    }

    /// Removes the record when its revision is still the expected one; a client's ledger goes with it.
    public func delete<Record: VaultRecord>(
        _ name: Name<Record>, expecting revision: Revision
    ) async throws(VaultError) {
        try await writing { writer throws(VaultError) in try writer.delete(name, expecting: revision) }
    }

    /// Adds what a consumer reports to the ledger of a client that exists.
    public func acknowledge(_ entry: LedgerEntry, of client: ClientName) async throws(VaultError) {
        try await writing { writer throws(VaultError) in try writer.acknowledge(entry, of: client) }
    }

    /// Forgets a consumer of a client.
    public func forget(_ consumer: ConsumerName, of client: ClientName) async throws(VaultError) {
        try await writing { writer throws(VaultError) in try writer.forget(consumer, of: client) }
    }

    /// What the consumers of a client have reported, ordered by consumer.
    public func ledger(of client: ClientName) async throws(VaultError) -> [LedgerEntry] {
        try await reading { reader throws(VaultError) in try reader.ledger(of: client) }
    }

    /// All records of a kind without their values, ordered by name, checked to be all there are.
    public func summaries<Record: VaultRecord>(
        _ type: Record.Type
    ) async throws(VaultError) -> [Versioned<Record>] {
        let records = try await reading { reader throws(VaultError) in
            var scan = RecordScan(reader)
            var records: [Versioned<Record>] = []
            try reader.rows.forEachRecord(withPayload: false) { row in
                try scan.add(row)
                if row.kind == Record.kind { records.append(try reader.open(row, as: type)) }
            }
            try scan.finish()
            return records
        }
        return records.sorted { $0.record.name < $1.record.name }
    }

    /// A key for one purpose, the same for the vault's whole life.
    public func derivedKey(for purpose: KeyPurpose) async throws(VaultError) -> SecretValue {
        try keyring.derivedKey(for: purpose)
    }

    /// Runs with a reader in one transaction.
    func reading<Result: Sendable>(
        _ body: @escaping @Sendable (VaultReader<DatabaseRows>) throws(VaultError) -> Result
    ) async throws(VaultError) -> Result {
        // The mark is read before the database, which can only be newer by then.
        let floor = try floor()
        let (result, mark) = try await connections.read { [keyring] rows in
            let reader = try VaultReader(rows, keyring, notOlderThan: floor)
            return (try body(reader), reader.root.mark)
        }
        note(mark)
        return result
    }

    private func writing<Result: Sendable>(
        _ body: @escaping @Sendable (inout VaultWriter<DatabaseRows>) throws(VaultError) -> Result
    ) async throws(VaultError) -> Result {
        let floor = try floor()
        let (result, mark) = try await connections.write { [keyring] rows in
            var writer = try VaultWriter(rows, keyring, notOlderThan: floor)
            let result = try body(&writer)
            return (result, writer.mark)
        } afterCommit: { [folder] in
            try? folder.highWaterMark?.raise(to: $0.1)
        }
        note(mark)
        return result
    }

    func floor() throws(VaultError) -> VaultMark {
        let seen = seen.withLock { $0 }
        return acceptsOlder ? seen : max(seen, try folder.highWaterMark?.read() ?? seen)
    }

    private func note(_ mark: VaultMark) {
        seen.withLock { $0 = max($0, mark) }
    }
}

import Foundation
import GRDB
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing

/// The files of a vault's folder, as bytes.
struct VaultImage: Equatable, Sendable {
    static let database = "vault.db"
    static let log = "vault.db-wal"
    static let index = "vault.db-shm"
    static let key = "vault.key.age"

    private var files: [String: [UInt8]] = [:]

    /// The bytes of a file; none for one that is left out.
    subscript(name: String) -> [UInt8] {
        get { files[name] ?? [] }
        set { files[name] = newValue }
    }

    /// Leaves a file out.
    mutating func remove(_ name: String) { files[name] = nil }

    /// Reads the files in a folder; the index of the log is not among them, and neither is a log of no bytes.
    init(of folder: String) throws {
        for name in [Self.database, Self.log, Self.key] {
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)"), !data.isEmpty else { continue }
            files[name] = Array(data)
        }
    }

    /// Puts the files into a folder in place of what is there.
    func lay(in folder: String) throws {
        for name in [Self.database, Self.log, Self.index, Self.key] {
            let path = "\(folder)/\(name)"
            unlink(path)
            guard let bytes = files[name] else { continue }
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            try #require(descriptor >= 0)
            defer { close(descriptor) }
            try #require(write(descriptor, bytes, bytes.count) == bytes.count)
        }
    }
}

/// A small vault in several states, built once a run; every attack begins with a fresh copy of one of them.
///
/// It holds a tenant, two clients and a ledger. Since yesterday one client got a new secret, and a consumer reported.
struct Specimen: Sendable {
    /// As small as SQLite's pages can be, so that every byte of every file can be attacked.
    static let small = Task { try await Specimen(pageSize: 512) }
    /// As Keyover makes vaults.
    static let usual = Task { try await Specimen(pageSize: 4096) }

    let identity: X25519Identity
    let pin: VaultPin
    /// The newest state, which this host has seen.
    let mark: VaultMark
    /// The state before the last changes.
    let yesterday: VaultImage
    /// The newest state, of which the last change still lies in the log.
    let running: VaultImage
    /// The newest state after a clean stop.
    let today: VaultImage
    let pageSize: Int

    private init(pageSize: Int) async throws {
        let vault = try await TestVault()
        (identity, pin, self.pageSize) = (vault.identity, vault.pin, pageSize)
        _ = try await vault.vault.write(SampleRecords.tenant("sandbox-1"), expecting: nil)
        _ = try await vault.vault.write(Answers.other, expecting: nil)
        let first = try await vault.vault.write(Answers.stale, expecting: nil)
        try await vault.vault.acknowledge(Answers.report(generation: 1), of: Answers.one.name)
        // Pages can change their size outside of WAL mode only, and in the copy of a file that nobody has open.
        try vault.checkpoint()
        let copy = vault.scratch.path + "/copy"
        try FileManager.default.createDirectory(
            atPath: copy, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        try vault.copyDatabase(from: vault.path, to: copy)
        try vault.scratch.copy("vault/vault.key.age", to: "copy/vault.key.age")
        try Self.execute(
            """
            PRAGMA journal_mode=DELETE; PRAGMA page_size=\(pageSize); PRAGMA secure_delete=ON; VACUUM;
            PRAGMA journal_mode=WAL
            """, in: copy)
        yesterday = try VaultImage(of: copy)
        let writer = try await FileVault.open(at: copy, VaultAccess(identities: [identity], pin: pin))
        try await writer.acknowledge(Answers.report(generation: 2), of: Answers.one.name)
        try Self.execute("PRAGMA wal_checkpoint(TRUNCATE)", in: copy)
        _ = try await writer.write(Answers.one, expecting: first)
        mark = try await writer.status().mark
        running = try VaultImage(of: copy)
        try Self.execute("PRAGMA wal_checkpoint(TRUNCATE)", in: copy)
        today = try VaultImage(of: copy)
        let (database, log) = (VaultImage.database, VaultImage.log)
        try #require(yesterday[log].isEmpty && today[log].isEmpty && !running[log].isEmpty)
        try #require(running[database] != yesterday[database] && running[database] != today[database])
    }

    private static func execute(_ sql: String, in folder: String) throws {
        let queue = try DatabaseQueue(path: "\(folder)/\(VaultImage.database)")
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }
}

/// What the specimen must answer, if it answers.
enum Answers {
    static let one = client("the one in force", generation: 43)
    static let stale = client("the one before", generation: 42)
    static let other = SampleRecords.client("other", secret: "else", number: 9)

    static func report(generation: UInt64) -> LedgerEntry { SampleRecords.report("web-1", generation: generation) }

    private static func client(_ secret: String, generation: UInt64) -> ClientRecord {
        var client = SampleRecords.client("one", secret: secret)
        client.generation = generation
        return client
    }
}

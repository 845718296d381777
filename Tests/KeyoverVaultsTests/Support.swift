import Foundation
import GRDB
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing

/// A private folder that is removed with its last holder.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/keyover-vault-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func copy(_ name: String, to other: String) throws {
        let target = "\(path)/\(other)"
        try? FileManager.default.removeItem(atPath: target)
        try FileManager.default.copyItem(atPath: "\(path)/\(name)", toPath: target)
    }
}

/// A file vault of its own, with all that is needed to open it again and to harm it.
struct TestVault: VaultFixture {
    let scratch: Scratch
    let identity: X25519Identity
    let auditor: X25519Identity
    let pin: VaultPin
    let fileVault: FileVault

    var path: String { scratch.path + "/vault" }
    var databasePath: String { path + "/vault.db" }
    var stateDirectory: String { scratch.path + "/state" }
    var vault: any Vault { fileVault }

    init() async throws {
        scratch = try Scratch()
        identity = try X25519Identity.generate()
        auditor = try X25519Identity.generate()
        let path = scratch.path + "/vault"
        pin = try await FileVault.create(at: path, recipients: [identity.recipient])
        fileVault = try await FileVault.open(
            at: path, VaultAccess(identities: [identity], pin: pin, stateDirectory: scratch.path + "/state"))
    }

    /// Opens the vault again, as another process would.
    func reopened(
        as identities: [any AgeIdentity]? = nil, pin: VaultPin? = nil, withMark: Bool = true,
        patience: TimeSpan = .seconds(5)
    ) async throws(VaultError) -> FileVault {
        try await FileVault.open(
            at: path,
            VaultAccess(
                identities: identities ?? [identity], pin: pin ?? self.pin,
                stateDirectory: withMark ? stateDirectory : nil,
                reach: VaultReach(patience: patience)))
    }

    func secondHandle() async throws -> any Vault { try await reopened() }

    func metadataHandle() async throws -> any Vault {
        try await fileVault.grant(
            to: VaultAudience(full: fileVault.audience.full, metadataOnly: [.key(auditor.recipient)]))
        return try await reopened(as: [auditor])
    }

    func strangersHandle() async throws -> any Vault { try await reopened(as: [try X25519Identity.generate()]) }

    func findings() async throws -> [String] { try await fileVault.verify().findings.map(\.message) }

    /// Changes the database behind Keyover's back.
    func tamper(_ sql: String, _ arguments: StatementArguments = []) throws {
        try DatabaseQueue(path: databasePath).write { try $0.execute(sql: sql, arguments: arguments) }
    }

    /// Moves everything from the log into the database.
    func checkpoint() throws {
        try DatabaseQueue(path: databasePath).writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
        }
    }

    /// Looks into the database behind Keyover's back.
    func peek<Value: DatabaseValueConvertible>(_ sql: String) throws -> [Value] {
        try DatabaseQueue(path: databasePath).read { try Value.fetchAll($0, sql: sql) }
    }

    /// Puts the database with its log aside, or back.
    func copyDatabase(from: String, to: String) throws {
        for suffix in ["", "-wal"] {
            let (source, target) = ("\(from)/vault.db\(suffix)", "\(to)/vault.db\(suffix)")
            try? FileManager.default.removeItem(atPath: target)
            if FileManager.default.fileExists(atPath: source) {
                try FileManager.default.copyItem(atPath: source, toPath: target)
            }
        }
    }
}

/// The vault error that the body throws; a recorded issue when it throws none.
func failure(
    _ body: () async throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
) async -> VaultError? {
    do {
        try await body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
        return nil
    } catch let error as VaultError {
        return error
    } catch {
        Issue.record("not a vault error: \(error)", sourceLocation: sourceLocation)
        return nil
    }
}

func writePrivately(_ contents: Data, to path: String) throws {
    try? FileManager.default.removeItem(atPath: path)
    let isMade = FileManager.default.createFile(
        atPath: path, contents: contents, attributes: [.posixPermissions: 0o600])
    try #require(isMade)
}

func setMode(_ mode: Int, _ path: String) throws {
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
}

func mode(_ path: String) throws -> Int {
    try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
}

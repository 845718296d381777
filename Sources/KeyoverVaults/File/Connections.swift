import CKeyoverSQLite
import GRDB
import KeyoverCore
import KeyoverSealing

/// The connections to one database: readers that never wait for writers, and one writer, opened when first needed.
///
/// All work happens on GRDB's queues, so a slow disk or a lock blocks no thread of the cooperative pool. It is not
/// cancelled with the calling task either: a caller that was cancelled would not know whether its change took place.
final class Connections: Sendable {
    private let path: String
    private let patience: TimeSpan
    private let readers: DatabasePool
    private let writers = SerialLazy<DatabaseQueue>()

    /// Opens a database that exists and looks exactly like a vault.
    init(_ path: String, patience: TimeSpan) throws(VaultError) {
        self.path = path
        self.patience = patience
        do {
            readers = try DatabasePool(path: path, configuration: Self.configuration(patience, readOnly: true))
            try readers.read { try Self.checkSchema($0) }
        } catch {
            throw DatabaseFailure.map(error)
        }
    }

    /// Runs in a transaction that sees one state of the database.
    func read<Result: Sendable>(
        _ body: @escaping @Sendable (DatabaseRows) throws -> Result
    ) async throws(VaultError) -> Result {
        let outcome: Swift.Result<Result, VaultError> = await withCheckedContinuation { continuation in
            readers.asyncRead { access in
                continuation.resume(
                    returning: Self.outcome { try body(DatabaseRows(database: try access.get())) })
            }
        }
        return try outcome.get()
    }

    /// Runs as ``read(_:)`` does, on the calling thread.
    func readNow<Result>(_ body: (DatabaseRows) throws -> Result) throws(VaultError) -> Result {
        do {
            return try readers.read { try body(DatabaseRows(database: $0)) }
        } catch {
            throw DatabaseFailure.map(error)
        }
    }

    /// Runs in a transaction that holds the write lock, then after its commit.
    func write<Result: Sendable>(
        _ body: @escaping @Sendable (DatabaseRows) throws -> Result,
        afterCommit: @escaping @Sendable (Result) -> Void
    ) async throws(VaultError) -> Result {
        let writer = try await Offloaded.run { [self] () throws(VaultError) in
            try writers.value { () throws(VaultError) in try Self.openWriter(path, patience) }
        }
        let outcome: Swift.Result<Result, VaultError> = await withCheckedContinuation { continuation in
            writer.asyncWriteWithoutTransaction { database in
                let outcome = Self.outcome { try Self.transaction(database, body) }
                if case .success(let result) = outcome { afterCommit(result) }
                continuation.resume(returning: outcome)
            }
        }
        return try outcome.get()
    }

    /// Empties the write-ahead log, so that what was replaced does not lie in it any longer; best effort.
    func truncateLog() async {
        let writer = try? await Offloaded.run { [self] () throws(VaultError) in
            try writers.value { () throws(VaultError) in try Self.openWriter(path, patience) }
        }
        try? await writer?.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
    }

    private static func transaction<Result>(
        _ database: Database, _ body: (DatabaseRows) throws -> Result
    ) throws(VaultError) -> Result {
        do {
            try database.execute(sql: "BEGIN IMMEDIATE")
            let result = try body(DatabaseRows(database: database))
            try database.execute(sql: "COMMIT")
            return result
        } catch {
            // Where it had to, SQLite has rolled back by itself.
            if database.isInsideTransaction { try? database.execute(sql: "ROLLBACK") }
            throw DatabaseFailure.map(error)
        }
    }

    /// Makes a database at a path where an empty file lies, and closes it again.
    static func create(_ path: String, _ body: (DatabaseRows) throws -> Void) throws(VaultError) {
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration(.seconds(5), readOnly: false))
            try queue.write { database in
                for statement in FileVaultSchema.statements { try database.execute(sql: statement) }
                try database.execute(
                    sql: """
                        PRAGMA application_id=\(FileVaultSchema.applicationID);
                        PRAGMA user_version=\(FileVaultSchema.version)
                        """)
                try body(DatabaseRows(database: database))
            }
            try queue.close()
        } catch {
            throw DatabaseFailure.map(error)
        }
    }

    private static func openWriter(_ path: String, _ patience: TimeSpan) throws(VaultError) -> DatabaseQueue {
        do {
            let writer = try DatabaseQueue(path: path, configuration: configuration(patience, readOnly: false))
            try writer.read { try checkSchema($0) }
            return writer
        } catch {
            throw DatabaseFailure.map(error)
        }
    }

    private static func configuration(_ patience: TimeSpan, readOnly: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = readOnly
        configuration.foreignKeysEnabled = false
        configuration.maximumReaderCount = 4
        configuration.busyMode = .timeout(Double(patience.milliseconds) / 1000)
        configuration.prepareDatabase { database in
            guard keyover_harden_database(database.sqliteConnection.map { UnsafeMutableRawPointer($0) }) == 0 else {
                throw VaultError(.unavailable, "SQLite cannot be put into defensive mode")
            }
            // GRDB would let the readers of a pool wait for 10 s.
            try database.execute(sql: "PRAGMA busy_timeout=\(patience.milliseconds)")
            try database.execute(sql: FileVaultSchema.connectionPragmas)
            // GRDB's own WAL setting would lower `synchronous` to NORMAL, which may lose the newest commits.
            if !readOnly { try database.execute(sql: "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL") }
        }
        return configuration
    }

    private static func checkSchema(_ database: Database) throws {
        try FileVaultSchema.check(
            applicationID: try Int64.fetchOne(database, sql: "PRAGMA application_id"),
            version: try Int64.fetchOne(database, sql: "PRAGMA user_version"),
            schema: try String.fetchOne(database, sql: FileVaultSchema.schemaQuery))
    }

    private static func outcome<Result>(_ body: () throws -> Result) -> Swift.Result<Result, VaultError> {
        do {
            return .success(try body())
        } catch {
            return .failure(DatabaseFailure.map(error))
        }
    }
}

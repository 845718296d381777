import CKeyoverSQLite
import GRDBSQLite
import KeyoverCore
import KeyoverSealing

/// A file vault's database through SQLite's C interface, read within one transaction.
///
/// It is never closed: closing the last connection would write, and the process ends anyway.
struct Database: VaultRows {
    private static let patience: Int32 = 5000

    private let handle: OpaquePointer

    /// Opens a database that exists and looks exactly like a vault, and begins to read.
    init(_ path: String) throws(VaultError) {
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE
        let status = sqlite3_open_v2(path, &handle, flags, nil)
        guard status == SQLITE_OK, let handle else { throw Self.error(status, handle) }
        self.handle = handle
        sqlite3_busy_timeout(handle, Self.patience)
        guard keyover_harden_database(UnsafeMutableRawPointer(handle)) == 0 else {
            throw VaultError(.unavailable, "SQLite cannot be put into defensive mode")
        }
        let begun = sqlite3_exec(handle, FileVaultSchema.connectionPragmas + "; BEGIN", nil, nil, nil)
        guard begun == SQLITE_OK else { throw Self.error(begun, handle) }
        try FileVaultSchema.check(
            applicationID: try number("PRAGMA application_id"), version: try number("PRAGMA user_version"),
            schema: try first(FileVaultSchema.schemaQuery) { $0.text(0) })
    }

    func vault() throws(VaultError) -> VaultRow? {
        try first(FileVaultSchema.selectVault) { row in
            VaultRow(id: row.bytes(0), epoch: row.number(1), counter: row.number(2), root: row.bytes(3))
        }
    }

    func record(_ lookup: [UInt8]) throws(VaultError) -> RecordRow? {
        try first(FileVaultSchema.selectRecord, [.bytes(lookup)]) { row in
            RecordRow(
                lookup: row.bytes(0), kind: row.text(1), id: row.bytes(2), serial: row.number(3), leaf: row.bytes(4),
                digest: row.bytes(5), metadata: row.bytes(6), payload: row.bytes(7))
        }
    }

    func node(at position: Int64) throws(VaultError) -> [UInt8]? {
        try first(FileVaultSchema.selectNode, [.number(position)]) { $0.bytes(0) }
    }

    func ledger(of client: [UInt8]) throws(VaultError) -> [LedgerRow] {
        try all(FileVaultSchema.selectLedger, [.bytes(client)]) { row in
            LedgerRow(
                client: row.bytes(0), consumer: row.bytes(1), serial: row.number(2), leaf: row.bytes(3),
                entry: row.bytes(4))
        }
    }

    func items(of kind: HashTree.Kind, from first: [UInt8], through last: [UInt8]) throws(VaultError) -> [TreeItem] {
        let sql =
            switch kind {
            case .records: FileVaultSchema.selectRecordLeaves
            case .ledger: FileVaultSchema.selectLedgerLeaves
            }
        return try all(sql, [.bytes(first), .bytes(last)]) {
            TreeItem(key: $0.bytes(0) + $0.bytes(1), leaf: $0.bytes(2))
        }
    }

    private func number(_ sql: String) throws(VaultError) -> Int64? {
        try first(sql) { Int64(bitPattern: $0.number(0)) }
    }

    private func first<Result>(
        _ sql: String, _ arguments: [Argument] = [], _ read: (Row) -> Result
    ) throws(VaultError) -> Result? {
        try all(sql, arguments, read).first
    }

    private func all<Result>(
        _ sql: String, _ arguments: [Argument], _ read: (Row) -> Result
    ) throws(VaultError) -> [Result] {
        var statement: OpaquePointer?
        let prepared = sqlite3_prepare_v2(handle, sql, -1, &statement, nil)
        guard prepared == SQLITE_OK, let statement else { throw Self.error(prepared, handle) }
        defer { sqlite3_finalize(statement) }
        for (index, argument) in arguments.enumerated() {
            let bound = argument.bind(to: statement, at: Int32(index + 1))
            guard bound == SQLITE_OK else { throw Self.error(bound, handle) }
        }
        var results: [Result] = []
        while true {
            let status = sqlite3_step(statement)
            if status == SQLITE_DONE { return results }
            guard status == SQLITE_ROW else { throw Self.error(status, handle) }
            results.append(read(Row(statement: statement)))
        }
    }

    private static func error(_ status: Int32, _ handle: OpaquePointer?) -> VaultError {
        let reason = String(cString: sqlite3_errstr(status))
        switch status & 0xFF {
        case SQLITE_BUSY, SQLITE_LOCKED:
            return VaultError(
                .unavailable, "the vault is busy: another process kept it locked for too long",
                remedy: "run the command again", isRetryable: true)
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            return VaultError(
                .notTrusted, "the vault's database is damaged: \(reason)",
                remedy: VaultError.restoreBackup)
        default:
            return VaultError(
                .unavailable, "the vault's database cannot be read: \(reason)",
                remedy: "check that you own the vault's folder and that the disk works")
        }
    }
}

/// A parameter of a statement.
private enum Argument {
    case bytes([UInt8])
    case number(Int64)

    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        switch self {
        case .number(let value): sqlite3_bind_int64(statement, index, value)
        case .bytes(let bytes):
            // SQLITE_TRANSIENT: SQLite copies the bytes at once.
            sqlite3_bind_blob(
                statement, index, bytes, Int32(bytes.count), unsafeBitCast(-1, to: sqlite3_destructor_type.self))
        }
    }
}

/// The present row of a statement; a column of another type than expected reads as something that fails its check.
private struct Row {
    let statement: OpaquePointer

    func bytes(_ index: Int32) -> [UInt8] {
        guard let base = sqlite3_column_blob(statement, index) else { return [] }
        return Array(UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(statement, index))))
    }

    func text(_ index: Int32) -> String {
        String(decoding: bytes(index), as: UTF8.self)
    }

    func number(_ index: Int32) -> UInt64 {
        UInt64(bitPattern: sqlite3_column_int64(statement, index))
    }
}

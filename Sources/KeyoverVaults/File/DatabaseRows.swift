import Foundation
import GRDB
import KeyoverCore
import KeyoverSealing

/// The rows of the file vault's database within one transaction of GRDB.
struct DatabaseRows: MutableVaultRows {
    let database: Database

    func vault() throws(VaultError) -> VaultRow? {
        try mapping {
            try Row.fetchOne(database, sql: FileVaultSchema.selectVault).map { row in
                VaultRow(
                    id: try bytes(row, 0), epoch: try number(row, 1), counter: try number(row, 2),
                    root: try bytes(row, 3))
            }
        }
    }

    func record(_ lookup: [UInt8]) throws(VaultError) -> RecordRow? {
        try mapping {
            try Row.fetchOne(database, sql: FileVaultSchema.selectRecord, arguments: [Data(lookup)]).map(record)
        }
    }

    func node(at position: Int64) throws(VaultError) -> [UInt8]? {
        try mapping {
            try Row.fetchOne(database, sql: FileVaultSchema.selectNode, arguments: [position]).map { row in
                try bytes(row, 0)
            }
        }
    }

    func ledger(of client: [UInt8]) throws(VaultError) -> [LedgerRow] {
        try mapping {
            try Row.fetchAll(database, sql: FileVaultSchema.selectLedger, arguments: [Data(client)]).map(ledgerRow)
        }
    }

    func items(of kind: HashTree.Kind, from first: [UInt8], through last: [UInt8]) throws(VaultError) -> [TreeItem] {
        let sql =
            switch kind {
            case .records: FileVaultSchema.selectRecordLeaves
            case .ledger: FileVaultSchema.selectLedgerLeaves
            }
        return try mapping {
            try Row.fetchAll(database, sql: sql, arguments: [Data(first), Data(last)]).map { row in
                TreeItem(key: try bytes(row, 0) + bytes(row, 1), leaf: try bytes(row, 2))
            }
        }
    }

    /// Hands over every record in the order of the tree, with or without payload.
    func forEachRecord(withPayload: Bool, _ body: (RecordRow) throws -> Void) throws(VaultError) {
        try mapping {
            let cursor = try Row.fetchCursor(
                database,
                sql: """
                    SELECT lookup, kind, id, serial, leaf, digest, metadata\(withPayload ? ", payload" : "")
                    FROM record ORDER BY lookup
                    """)
            while let row = try cursor.next() { try body(try record(row)) }
        }
    }

    /// Hands over every ledger entry in the order of the tree.
    func forEachLedgerEntry(_ body: (LedgerRow) throws -> Void) throws(VaultError) {
        try mapping {
            let cursor = try Row.fetchCursor(database, sql: FileVaultSchema.selectWholeLedger)
            while let row = try cursor.next() { try body(try ledgerRow(row)) }
        }
    }

    /// All stored nodes by position.
    func nodes() throws(VaultError) -> [Int64: [UInt8]] {
        try mapping {
            let rows = try Row.fetchAll(database, sql: "SELECT position, hashes FROM node")
            return try rows.reduce(into: [:]) { $0[Int64(bitPattern: try number($1, 0))] = try bytes($1, 1) }
        }
    }

    /// How many rows of each kind of record there are.
    func counts() throws(VaultError) -> [String: Int] {
        try mapping {
            let rows = try Row.fetchAll(database, sql: "SELECT kind, count(*) FROM record GROUP BY kind")
            return try rows.reduce(into: [:]) { $0[try text($1, 0)] = Int(clamping: try number($1, 1)) }
        }
    }

    /// What SQLite's own check of the file's structure has to say; nothing when all is well.
    func integrityProblems() throws(VaultError) -> [String] {
        try mapping {
            try Row.fetchAll(database, sql: "PRAGMA integrity_check(20)").map { try text($0, 0) }.filter { $0 != "ok" }
        }
    }

    func put(_ row: VaultRow) throws(VaultError) {
        try execute(
            "INSERT OR REPLACE INTO vault (only, id, epoch, counter, root) VALUES (1, ?, ?, ?, ?)",
            [Data(row.id), Int64(bitPattern: row.epoch), Int64(bitPattern: row.counter), Data(row.root)])
    }

    func put(_ row: RecordRow) throws(VaultError) {
        try execute(
            """
            INSERT OR REPLACE INTO record (lookup, kind, id, serial, leaf, digest, metadata, payload)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                Data(row.lookup), row.kind, Data(row.id), Int64(bitPattern: row.serial), Data(row.leaf),
                Data(row.digest), Data(row.metadata), Data(row.payload ?? []),
            ])
    }

    func put(_ row: LedgerRow) throws(VaultError) {
        try execute(
            "INSERT OR REPLACE INTO ledger (client, consumer, serial, leaf, entry) VALUES (?, ?, ?, ?, ?)",
            [Data(row.client), Data(row.consumer), Int64(bitPattern: row.serial), Data(row.leaf), Data(row.entry)])
    }

    func put(_ node: TreeNode, at position: Int64) throws(VaultError) {
        if node.isEmpty {
            try execute("DELETE FROM node WHERE position = ?", [position])
        } else {
            try execute(
                "INSERT OR REPLACE INTO node (position, hashes) VALUES (?, ?)", [position, Data(node.bytes)])
        }
    }

    func removeNodes() throws(VaultError) {
        try execute("DELETE FROM node", [])
    }

    func removeRecord(_ lookup: [UInt8]) throws(VaultError) {
        try execute("DELETE FROM record WHERE lookup = ?", [Data(lookup)])
    }

    func removeLedgerEntry(client: [UInt8], consumer: [UInt8]) throws(VaultError) {
        try execute("DELETE FROM ledger WHERE client = ? AND consumer = ?", [Data(client), Data(consumer)])
    }

    private func execute(_ sql: String, _ arguments: StatementArguments) throws(VaultError) {
        try mapping { try database.cachedStatement(sql: sql).execute(arguments: arguments) }
    }

    private func mapping<Result>(_ body: () throws -> Result) throws(VaultError) -> Result {
        try DatabaseFailure.mapping(body)
    }

    private func record(_ row: Row) throws -> RecordRow {
        RecordRow(
            lookup: try bytes(row, 0), kind: try text(row, 1), id: try bytes(row, 2), serial: try number(row, 3),
            leaf: try bytes(row, 4), digest: try bytes(row, 5), metadata: try bytes(row, 6),
            payload: row.count > 7 ? try bytes(row, 7) : nil)
    }

    private func ledgerRow(_ row: Row) throws -> LedgerRow {
        LedgerRow(
            client: try bytes(row, 0), consumer: try bytes(row, 1), serial: try number(row, 2),
            leaf: try bytes(row, 3), entry: try bytes(row, 4))
    }

    // A damaged file may hold any type in any column, and GRDB's subscripts end the process over a wrong one.

    private func bytes(_ row: Row, _ index: Int) throws -> [UInt8] {
        guard case .blob(let data) = (row[index] as DatabaseValue).storage else {
            throw VaultError.tampered("a column holds no bytes")
        }
        return [UInt8](data)
    }

    private func text(_ row: Row, _ index: Int) throws -> String {
        guard case .string(let text) = (row[index] as DatabaseValue).storage else {
            throw VaultError.tampered("a column holds no text")
        }
        return text
    }

    private func number(_ row: Row, _ index: Int) throws -> UInt64 {
        guard case .int64(let value) = (row[index] as DatabaseValue).storage else {
            throw VaultError.tampered("a column holds no number")
        }
        return UInt64(bitPattern: value)
    }
}

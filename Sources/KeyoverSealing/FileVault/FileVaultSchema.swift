public import KeyoverCore

/// The names, numbers and SQL of the file vault's database, shared by everything that opens it.
public enum FileVaultSchema {
    /// The database's name in the vault's folder.
    public static let databaseName = "vault.db"
    /// The key file's name in the vault's folder.
    public static let keyFileName = "vault.key.age"
    /// The name of the key file for those who were granted metadata only.
    public static let metadataKeyFileName = "vault.metadata.age"
    /// SQLite's `application_id`: the letters `Keyv`.
    public static let applicationID: Int64 = 0x4B65_7976
    /// SQLite's `user_version`.
    public static let version: Int64 = 1

    /// The statements that make an empty database, each exactly as SQLite stores it.
    public static let statements = [
        """
        CREATE TABLE ledger (client BLOB NOT NULL, consumer BLOB NOT NULL, serial INTEGER NOT NULL, \
        leaf BLOB NOT NULL, entry BLOB NOT NULL, PRIMARY KEY (client, consumer)) STRICT, WITHOUT ROWID
        """,
        "CREATE TABLE node (position INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT",
        """
        CREATE TABLE record (lookup BLOB PRIMARY KEY NOT NULL, kind TEXT NOT NULL, id BLOB NOT NULL, \
        serial INTEGER NOT NULL, leaf BLOB NOT NULL, digest BLOB NOT NULL, metadata BLOB NOT NULL, \
        payload BLOB NOT NULL) STRICT
        """,
        """
        CREATE TABLE vault (only INTEGER PRIMARY KEY CHECK (only = 1), id BLOB NOT NULL, epoch INTEGER NOT NULL, \
        counter INTEGER NOT NULL, root BLOB NOT NULL) STRICT
        """,
    ]

    /// Answers one line a schema object; what it must answer is ``expectedSchema``.
    public static let schemaQuery = """
        SELECT coalesce(group_concat(name || ': ' || coalesce(sql, type), char(10)), '') \
        FROM (SELECT name, sql, type FROM sqlite_schema ORDER BY name)
        """

    /// The answer of ``schemaQuery`` for a database that nobody has added to.
    public static let expectedSchema = [
        "ledger: " + statements[0],
        "node: " + statements[1],
        "record: " + statements[2],
        "sqlite_autoindex_record_1: index",
        "vault: " + statements[3],
    ].joined(separator: "\n")

    /// What every connection sets before it looks at anything else.
    public static let connectionPragmas = """
        PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY
        """

    /// Columns `id, epoch, counter, root`.
    public static let selectVault = "SELECT id, epoch, counter, root FROM vault"
    /// Columns `lookup, kind, id, serial, leaf, digest, metadata, payload`; the argument is the look-up hash.
    public static let selectRecord =
        "SELECT lookup, kind, id, serial, leaf, digest, metadata, payload FROM record WHERE lookup = ?"
    /// Columns `lookup, rest of the key (none), leaf` in order; the arguments are the ends of a bucket.
    public static let selectRecordLeaves =
        "SELECT lookup, x'', leaf FROM record WHERE lookup BETWEEN ? AND ? ORDER BY lookup"
    /// Columns `client, rest of the key (consumer), leaf` in order; the arguments are the ends of a bucket.
    public static let selectLedgerLeaves =
        "SELECT client, consumer, leaf FROM ledger WHERE client BETWEEN ? AND ? ORDER BY client, consumer"
    /// Columns `client, consumer, serial, leaf, entry` in order; the argument is the client's look-up hash.
    public static let selectLedger =
        "SELECT client, consumer, serial, leaf, entry FROM ledger WHERE client = ? ORDER BY consumer"
    /// The same columns of all clients, in the order of the tree.
    public static let selectWholeLedger =
        "SELECT client, consumer, serial, leaf, entry FROM ledger ORDER BY client, consumer"
    /// Column `hashes`; the argument is the node's position.
    public static let selectNode = "SELECT hashes FROM node WHERE position = ?"

    /// Refuses a database that is not exactly a vault of this version.
    public static func check(applicationID: Int64?, version: Int64?, schema: String?) throws(VaultError) {
        guard applicationID == Self.applicationID, let version else {
            throw VaultError(.notTrusted, "the database is not one of Keyover's", remedy: "check the vault's path")
        }
        guard version <= Self.version else {
            throw VaultError(
                .newerFormat, "the vault's database is of version \(version), made by a newer Keyover",
                remedy: "install the newer Keyover on this machine too")
        }
        guard version == Self.version, schema == expectedSchema else {
            throw VaultError.tampered("the database's tables are not exactly Keyover's")
        }
    }
}

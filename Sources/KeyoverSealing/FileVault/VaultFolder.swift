public import KeyoverCore

/// The folder of a file vault, checked and with its key file opened; what is common to all who open one.
public struct VaultFolder: Sendable {
    private static let keyFileLimit = 1 << 20

    /// The folder.
    public let directory: PrivateDirectory
    /// The keys in the key file.
    public let keys: KeyFile
    /// Where this host keeps the newest state it has seen.
    public let highWaterMark: HighWaterMark?
    /// That state, read before anything is read from the database.
    public let mark: VaultMark?

    /// The database's path, without links in it.
    public var databasePath: String { "\(directory.path)/\(FileVaultSchema.databaseName)" }

    /// Checks owner and mode of everything, then opens the key file.
    public init(
        _ path: String, identities: [any AgeIdentity], stateDirectory: String?
    ) throws(VaultError) {
        directory = try PrivateDirectory(path)
        try Self.checkFiles(of: directory)
        keys = try Self.openKeys(in: directory, identities)
        let vaultID = keys.vaultID
        highWaterMark = stateDirectory.map { HighWaterMark(stateDirectory: $0, vaultID: vaultID) }
        mark = try highWaterMark?.read()
    }

    /// The key file opens first; who is not among its recipients may have been granted the metadata.
    public static func openKeys(
        in directory: PrivateDirectory, _ identities: [any AgeIdentity]
    ) throws(VaultError) -> KeyFile {
        let file = try read(FileVaultSchema.keyFileName, in: directory)
        do {
            return try KeyFile.open(file, with: identities)
        } catch {
            guard error.code == .locked, try directory.check(FileVaultSchema.metadataKeyFileName) else { throw error }
            let granted = try read(FileVaultSchema.metadataKeyFileName, in: directory)
            return try KeyFile.open(granted, with: identities)
        }
    }

    private static func read(_ name: String, in directory: PrivateDirectory) throws(VaultError) -> [UInt8] {
        try directory.read(name, limit: keyFileLimit).withUnsafeSecretBytes { Array($0) }
    }

    /// The keys of the epoch that the database is in, when they are the pinned ones.
    public func keyring(of row: VaultRow?, _ pin: VaultPin?) throws(VaultError) -> Keyring {
        guard let row, let keyring = keys.keyring(epoch: row.epoch) else {
            throw VaultError.tampered("the key file has no keys for the database's epoch")
        }
        try pin?.check(keyring)
        return keyring
    }

    /// Refuses files of a vault that others can get at, or that are missing.
    public static func checkFiles(of directory: PrivateDirectory) throws(VaultError) {
        try directory.checkItself()
        guard try directory.check(FileVaultSchema.databaseName) else {
            throw VaultError(
                .missing, "there is no vault at \(directory.path)", remedy: "run keyover init, or check --vault")
        }
        for suffix in ["-wal", "-shm"] { try directory.check(FileVaultSchema.databaseName + suffix) }
    }
}

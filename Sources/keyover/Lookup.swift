import KeyoverCore
import KeyoverSealing

/// Finds one record in a file vault and proves it.
struct Lookup {
    private let settings: Settings

    init(_ settings: Settings) {
        self.settings = settings
    }

    /// The record of a client, or `nil` when the vault proves that there is none.
    func record(_ name: ClientName) throws(VaultError) -> ClientRecord? {
        let identities =
            switch settings.identity {
            case .file(let path): try IdentityFile.read(path)
            case .credential(let directory):
                try IdentityFile.readCredential(Settings.credentialName, in: directory)
            }
        let folder = try VaultFolder(
            settings.vaultPath, identities: identities, stateDirectory: settings.stateDirectory)
        let database = try Database(folder.databasePath)
        let keyring = try folder.keyring(of: database.vault(), settings.pin)
        return try VaultReader(database, keyring, notOlderThan: folder.mark).read(name)?.record
    }
}

public import KeyoverCore
public import KeyoverSealing

/// Vaults in a folder of this machine: `file:/var/lib/keyover/vault`.
public enum FileBackend: VaultBackend, RestoringBackend {
    /// `file`.
    public static let scheme = "file"

    /// Makes the folder with database and key file in it.
    public static func create(
        _ url: VaultURL, _ creation: VaultCreation
    ) async throws(VaultError) -> VaultPin {
        try await FileVault.create(
            at: url.location, recipients: creation.recipients, keyring: creation.keyring)
    }

    /// Opens the folder.
    public static func open(_ url: VaultURL, _ access: VaultAccess) async throws(VaultError) -> any Vault {
        try await FileVault.open(at: url.location, access)
    }

    /// Makes the folder out of a backup.
    public static func restore(
        _ url: VaultURL, _ plan: RestorePlan
    ) async throws(VaultError) -> RestoredVault {
        try await FileVault.restore(at: url.location, plan)
    }
}

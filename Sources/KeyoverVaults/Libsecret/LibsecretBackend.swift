public import KeyoverCore
public import KeyoverSealing

/// Vaults among the items of a person's keyring: `libsecret:`, `libsecret:login`, `libsecret:login/work`.
public enum LibsecretBackend: EntryBackend {
    /// `libsecret`.
    public static let scheme = "libsecret"

    /// The items of a vault in a keyring.
    public static func store(_ url: VaultURL, _ reach: VaultReach) async throws(VaultError) -> LibsecretStore {
        try LibsecretStore(url, patience: reach.patience)
    }

    /// A vault beside the named one, in the same keyring.
    public static func place(_ name: String, below url: VaultURL) throws(VaultError) -> VaultURL {
        let collection = url.location.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        return VaultURL(scheme: scheme, location: "\(collection)/\(KeyringPlace.standardVault)-\(name)")
    }
}

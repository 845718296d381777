public import KeyoverCore
public import KeyoverSealing

/// A backend that is a store of entries; its vaults are made and opened alike.
public protocol EntryBackend: VaultBackend {
    /// The kind of store.
    associatedtype Store: EntryStore

    /// Reaches the store of a URL; nothing is read or written yet.
    static func store(_ url: VaultURL, _ reach: VaultReach) async throws(VaultError) -> Store

    /// A place for a vault of its own below the one that a URL names, which it does not touch.
    static func place(_ name: String, below url: VaultURL) throws(VaultError) -> VaultURL
}

extension EntryBackend {
    /// Makes an empty vault in the store.
    public static func create(_ url: VaultURL, _ creation: VaultCreation) async throws(VaultError) -> VaultPin {
        try await EntryVault.create(in: try await store(url, creation.reach), creation)
    }

    /// Opens the vault in a store.
    public static func open(_ url: VaultURL, _ access: VaultAccess) async throws(VaultError) -> any Vault {
        try await EntryVault.open(try await store(url, access.reach), access)
    }
}

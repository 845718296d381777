public import KeyoverCore
public import KeyoverSealing

/// A kind of place where vaults can be.
public protocol VaultBackend: Sendable {
    /// The word that vault URLs of this kind begin with.
    static var scheme: String { get }

    /// Makes an empty vault that the recipients' identities open; where there is one already, throws `.exists`.
    ///
    /// Of several attempts at once exactly one succeeds. A crash leaves no vault or a whole one. The answer is what
    /// configuration pins.
    static func create(_ url: VaultURL, _ creation: VaultCreation) async throws(VaultError) -> VaultPin

    /// Opens a vault; nothing is created, and nothing is written.
    static func open(_ url: VaultURL, _ access: VaultAccess) async throws(VaultError) -> any Vault
}

/// All backends; a new one is one file and one line here.
public enum VaultRegistry {
    /// The backends, the default first.
    public static let backends: [any VaultBackend.Type] = [
        FileBackend.self, EtcdBackend.self, KVBackend.self, LibsecretBackend.self,
    ]

    /// The backend of a URL.
    public static func backend(of url: VaultURL) throws(VaultError) -> any VaultBackend.Type {
        guard let backend = backends.first(where: { $0.scheme == url.scheme }) else {
            let known = backends.map { $0.scheme + ":" }.joined(separator: ", ")
            throw VaultError(.invalid, "no backend is called \(url.scheme)", remedy: "use one of \(known)")
        }
        return backend
    }

    /// Makes an empty vault; the answer is what configuration pins.
    public static func create(_ url: VaultURL, _ creation: VaultCreation) async throws(VaultError) -> VaultPin {
        try await backend(of: url).create(url, creation)
    }

    /// Makes a vault out of a backup.
    public static func restore(_ url: VaultURL, _ plan: RestorePlan) async throws(VaultError) -> RestoredVault {
        let backend = try backend(of: url)
        guard let restoring = backend as? any RestoringBackend.Type else {
            throw VaultError(
                .invalid, "a vault of the kind \(url.scheme) cannot be restored into",
                remedy: "restore into a file vault: --vault file:/PATH")
        }
        return try await restoring.restore(url, plan)
    }

    /// Opens a vault.
    public static func open(_ url: VaultURL, _ access: VaultAccess) async throws(VaultError) -> any Vault {
        try await backend(of: url).open(url, access)
    }
}

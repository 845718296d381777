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
    static func create(_ url: VaultURL, for recipients: [any AgeRecipient]) async throws(VaultError) -> VaultPin

    /// Opens a vault; nothing is created, and nothing is written.
    static func open(_ url: VaultURL, _ access: VaultAccess) async throws(VaultError) -> any Vault
}

/// What a vault is opened with.
public struct VaultAccess: Sendable {
    /// Who opens it; the first identity that fits the key file does.
    public var identities: [any AgeIdentity]
    /// What configuration says that the vault must be.
    public var pin: VaultPin?
    /// Where this host keeps the newest state it has seen; `nil` keeps none.
    public var stateDirectory: String?
    /// How long a busy backend is waited for.
    public var patience: TimeSpan
    /// Whether a vault older than one seen on this host is opened; for `vault restore --accept-older` alone.
    public var acceptsOlder = false

    /// Access with identities, a pin and a state folder.
    public init(
        identities: [any AgeIdentity], pin: VaultPin? = nil, stateDirectory: String? = nil,
        patience: TimeSpan = .seconds(5)
    ) {
        self.identities = identities
        self.pin = pin
        self.stateDirectory = stateDirectory
        self.patience = patience
    }
}

/// All backends; a new one is one file and one line here.
public enum VaultRegistry {
    /// The backends, the default first.
    public static let backends: [any VaultBackend.Type] = [
        FileBackend.self
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
    public static func create(
        _ url: VaultURL, for recipients: [any AgeRecipient]
    ) async throws(VaultError) -> VaultPin {
        try await backend(of: url).create(url, for: recipients)
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

public import KeyoverCore
public import KeyoverSealing

/// What a vault is opened with.
public struct VaultAccess: Sendable {
    /// Who opens it; the first identity that fits the key file does.
    public var identities: [any AgeIdentity]
    /// What configuration says that the vault must be.
    public var pin: VaultPin?
    /// Where this host keeps the newest state it has seen; `nil` keeps none.
    public var stateDirectory: String?
    /// How the backend is reached.
    public var reach: VaultReach
    /// Whether a vault older than one seen on this host is opened; for `vault restore --accept-older` alone.
    public var acceptsOlder = false

    /// Access with identities, a pin and a state folder.
    public init(
        identities: [any AgeIdentity], pin: VaultPin? = nil, stateDirectory: String? = nil, reach: VaultReach = .init()
    ) {
        self.identities = identities
        self.pin = pin
        self.stateDirectory = stateDirectory
        self.reach = reach
    }
}

/// What a vault is made with.
public struct VaultCreation: Sendable {
    /// Whose identities open it.
    public let recipients: [any AgeRecipient]
    /// The keys, for a vault that goes on from another one; `nil` makes fresh ones.
    public let keyring: Keyring?
    /// How the backend is reached.
    public let reach: VaultReach

    /// What a vault is made with.
    public init(for recipients: [any AgeRecipient], keyring: Keyring? = nil, reach: VaultReach = .init()) {
        self.recipients = recipients
        self.keyring = keyring
        self.reach = reach
    }
}

/// How a backend is reached that is a server: who signs in, with what, and whom to trust.
public struct VaultReach: Sendable {
    /// How long one call may take, a busy backend included.
    public var patience: TimeSpan
    /// Who signs in: the user of etcd, or the role id of AppRole; `nil` needs none.
    public var user: String?
    /// What goes with it: the password of etcd's user, the secret id of AppRole or, without a user, a token.
    public var credential: SecretValue?
    /// Certificate authorities to trust besides the system's: the path of a PEM file.
    public var caFile: String?
    /// The certificate that this host shows, and its private key: the paths of PEM files.
    public var certificate: (chain: String, key: String)?
    /// Whether an answer may be used that was not proven to be the newest, where the vault's URL allows such.
    public var acceptsStale: Bool
    /// Where the host keeps small files that it may lose.
    public var stateDirectory: String?

    /// A backend that needs no signing in.
    public init(
        patience: TimeSpan = .seconds(5), user: String? = nil, credential: SecretValue? = nil, caFile: String? = nil,
        certificate: (chain: String, key: String)? = nil, acceptsStale: Bool = false, stateDirectory: String? = nil
    ) {
        self.patience = patience
        self.user = user
        self.credential = credential
        self.caFile = caFile
        self.certificate = certificate
        self.acceptsStale = acceptsStale
        self.stateDirectory = stateDirectory
    }
}

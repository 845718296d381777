/// What the sandbox has counted for one client.
public struct SandboxStatistics: Codable, Equatable, Sendable {
    /// The counters of one secret; those of a deleted one stay.
    public struct Secret: Codable, Equatable, Sendable {
        /// The secret's id.
        public let id: String
        /// The name that it was given.
        public let displayName: String?
        /// `ACTIVE`, `INACTIVE` or `DELETED`.
        public let status: String
        /// Exchanges that got a token.
        public let accepted: Int
        /// Exchanges that were refused although they brought this secret.
        public let refused: Int
        /// When an exchange was last accepted.
        public let lastAcceptedAt: SandboxInstant?
        /// When an exchange was last refused.
        public let lastRefusedAt: SandboxInstant?
    }

    /// Exchanges with values that were never a secret of the client.
    public struct Unknown: Codable, Equatable, Sendable {
        /// How many were refused.
        public let refused: Int
    }

    /// The client's tokens.
    public struct Tokens: Codable, Equatable, Sendable {
        /// How many live now.
        public let live: Int
        /// How many were minted.
        public let minted: Int
        /// How many were ended by one too many.
        public let evicted: Int
    }

    /// Requests to the protected resource with tokens of the client, dead ones included.
    public struct Resource: Codable, Equatable, Sendable {
        /// How many were granted.
        public let accepted: Int
        /// How many were refused.
        public let refused: Int
    }

    /// The client.
    public let clientID: String
    /// Its secrets in the order of addition, with up to a hundred deleted ones.
    public let secrets: [Secret]
    /// What matched none of them.
    public let unknown: Unknown
    /// Its tokens.
    public let tokens: Tokens
    /// Its visits to the protected resource.
    public let resource: Resource
    /// How many writes to its secrets were carried out, by `add`, `deactivate`, `reactivate` and `delete`.
    public let writes: [SandboxOperation: Int]
}

extension SandboxStatistics {
    init(of client: SandboxClient, at now: SandboxInstant) {
        clientID = client.clientID
        secrets = client.ledger.map { secret in
            Secret(
                id: secret.id, displayName: secret.displayName, status: secret.status, accepted: secret.accepted,
                refused: secret.refused, lastAcceptedAt: secret.lastAcceptedAt, lastRefusedAt: secret.lastRefusedAt)
        }
        unknown = Unknown(refused: client.unknownRefused)
        tokens = Tokens(
            live: client.tokens.liveCount(at: now), minted: client.tokens.minted, evicted: client.tokens.evicted)
        resource = Resource(accepted: client.resourceAccepted, refused: client.resourceRefused)
        writes = client.writes
    }
}

/// A secret as admin calls show it; only the call that made it shows the value.
struct SecretView: Encodable {
    let id: String
    let displayName: String?
    let status: String
    let createdAt: SandboxInstant
    let expiresAt: SandboxInstant?
    let lastUsedAt: SandboxInstant?
    let hint: String
    let accepted: Int
    let refused: Int
    let secret: String?

    init(of secret: SandboxSecret, showingValue: Bool = false) {
        id = secret.id
        displayName = secret.displayName
        status = secret.status
        createdAt = secret.createdAt
        expiresAt = secret.expiresAt
        lastUsedAt = secret.lastAcceptedAt
        hint = secret.hint
        accepted = secret.accepted
        refused = secret.refused
        self.secret = showingValue ? secret.text : nil
    }
}

/// A client as admin calls show it; only the call that made it shows its first secret.
struct ClientView: Encodable {
    let clientID: String
    let name: String
    let enabled: Bool
    let scopes: [String]
    let tokenLifetime: Int
    let createdAt: SandboxInstant
    let secret: SecretView?

    init(of client: SandboxClient, firstSecret: SandboxSecret? = nil) {
        clientID = client.clientID
        name = client.name
        enabled = client.isEnabled
        scopes = client.scopes
        tokenLifetime = client.tokenLifetime
        createdAt = client.createdAt
        secret = firstSecret.map { SecretView(of: $0, showingValue: true) }
    }
}

extension SandboxSecret {
    var status: String {
        switch presence {
        case .active: "ACTIVE"
        case .inactive: "INACTIVE"
        case .absent: "DELETED"
        }
    }

    var text: String { String(decoding: value, as: UTF8.self) }
}

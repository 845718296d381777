/// How a client proves itself at the token endpoint (RFC 6749 section 2.3.1, names of RFC 7591).
public enum ClientAuthentication: String, Codable, CaseIterable, Sendable {
    /// HTTP Basic with form-encoded id and secret.
    case basic = "client_secret_basic"
    /// Id and secret in the request body.
    case post = "client_secret_post"
}

/// What an admin says about a client when adding it; changed by `client edit`, never by a rotation.
public struct Registration: Codable, Equatable, Sendable {
    /// The tenant that the client belongs to.
    public var tenant: TenantName
    /// The token endpoint; `nil` takes the tenant's.
    public var tokenURL: String?
    /// The scopes to ask for; empty asks for none and takes what the server gives.
    public var scopes: [String]
    /// How the consumers authenticate, and therefore how secrets are verified.
    public var authentication: ClientAuthentication
    /// A resource to call with a fresh token of the new secret before traffic moves; expects a status of 2xx.
    public var canaryURL: String?
    /// Who answers for the client.
    public var owner: String?
    /// Free labels for policies to select by.
    public var labels: [String: String]
    /// How long the slowest consumer may keep a secret it was given; `nil` takes the policy's.
    public var consumerCache: TimeSpan?
    /// The strategy to use; `nil` chooses by capability.
    public var strategy: StrategyName?
    /// Commands to run when traffic moves, each an absolute path with its arguments.
    public var deliveries: [DeliveryTarget]

    /// A registration with only a tenant; the rest as defaults.
    public init(tenant: TenantName) {
        self.tenant = tenant
        scopes = []
        authentication = .basic
        labels = [:]
        deliveries = []
    }
}

/// Where a new generation is to be announced; the kind picks the delivery from its registry.
public struct DeliveryTarget: Codable, Hashable, Sendable {
    /// The registered kind, such as `command`.
    public var kind: String
    /// What the kind needs to know, such as path and arguments; never a secret.
    public var arguments: [String]

    /// A target of a kind.
    public init(kind: String, arguments: [String]) {
        self.kind = kind
        self.arguments = arguments
    }
}

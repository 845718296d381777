/// An adapter to one kind of authorization server, bound to one tenant.
///
/// The base protocol says only what the provider is. What it can do is in the small protocols below, found with `as?`
/// at one place (``ProviderPowers``).
///
/// **Writes.** Each write takes a ``WritePermit`` and must call ``WritePermit/check()`` as the last thing before the
/// request leaves, and must never send a request twice by itself: whether a write is repeated is the machine's decision.
/// A write that fails says in ``ProviderError/effect`` whether it may have been carried out; `none` is claimed only on
/// the provider's own word (a complete 4xx answer) or when no byte was sent.
///
/// **Bounds.** Each call ends within 30 seconds, answers are bounded in size and depth, redirects are not followed.
public protocol Provider: Sendable {
    /// The registered kind, such as `sandbox`.
    static var kind: String { get }
    /// What this provider can do with the secrets of a client.
    var capabilities: Capabilities { get }
    /// The token endpoint of the tenant, unless a registration names its own.
    var tokenURL: String? { get }
    /// What to tell a person to do, for steps that no call can do.
    func instructions(for step: ManualStep, client: ClientReference) -> [String]
}

/// A provider that lists the secrets of a client, without their values.
public protocol SecretListing: Provider {
    /// All secrets of the client, also those that are turned off.
    ///
    /// A list may lag behind by the propagation bound: that a secret is missing from it proves nothing before then.
    func secrets(of client: ClientReference) async throws(ProviderError) -> [ListedSecret]
}

/// A provider that adds a secret beside the existing ones.
public protocol SecretAdding: SecretListing {
    /// Adds a secret that bears the tag where the list shows it.
    func addSecret(
        to client: ClientReference, tag: String, permit: WritePermit
    ) async throws(ProviderError) -> MintedSecret
}

/// A provider that removes a secret by its id.
public protocol SecretRemoving: SecretListing {
    /// Removes the secret for good; a secret that is not there is `.notFound` with effect `none`.
    func removeSecret(_ id: SecretID, of client: ClientReference, permit: WritePermit) async throws(ProviderError)
}

/// A provider that turns a secret off and on again.
public protocol SecretDeactivating: SecretListing {
    /// Turns the secret off; one that is off stays off.
    func deactivateSecret(_ id: SecretID, of client: ClientReference, permit: WritePermit) async throws(ProviderError)
    /// Turns the secret on; one that is on stays on.
    func reactivateSecret(_ id: SecretID, of client: ClientReference, permit: WritePermit) async throws(ProviderError)
}

/// A provider that reports use of secrets.
public protocol UsageReporting: Provider {
    /// The newest use of each secret, by the provider's clock, where it is known.
    func lastUse(of client: ClientReference) async throws(ProviderError) -> [SecretID: Timestamp]
}

/// A provider that ends a token before its time (RFC 7009).
///
/// Used on the tokens of Keyover's own probes where the number of live tokens is capped, so that proving a secret does
/// not evict the tokens of consumers.
public protocol TokenRevoking: Provider {
    /// Ends the token that the client's secret was just exchanged for.
    func revoke(
        _ token: TokenGrant, of client: ClientReference, secret: SecretValue
    ) async throws(ProviderError)
}

/// The client as the provider knows it.
public struct ClientReference: Hashable, Sendable {
    /// The Keyover name, for messages.
    public var name: ClientName
    /// The OAuth client id.
    public var clientID: String

    /// A reference to a client.
    public init(name: ClientName, clientID: String) {
        self.name = name
        self.clientID = clientID
    }
}

/// A secret as the provider lists it.
public struct ListedSecret: Hashable, Sendable {
    /// The provider's id.
    public var id: SecretID
    /// The display name or other text in which Keyover's tag would be.
    public var tag: String?
    /// Whether it is turned on.
    public var isActive: Bool
    /// When it was made.
    public var createdAt: Timestamp?
    /// When it expires.
    public var expiresAt: Timestamp?
    /// The first characters of the value, where the provider shows them.
    public var hint: String?

    /// A listed secret.
    public init(
        id: SecretID, tag: String? = nil, isActive: Bool = true, createdAt: Timestamp? = nil,
        expiresAt: Timestamp? = nil, hint: String? = nil
    ) {
        self.id = id
        self.tag = tag
        self.isActive = isActive
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.hint = hint
    }
}

/// A secret just made by a provider, or supplied by a person.
public struct MintedSecret: Equatable, Sendable {
    /// The provider's id, when it has one.
    public var id: SecretID?
    /// The client id that goes with it; `nil` when it has not changed.
    public var clientID: String?
    /// The value, shown this once.
    public var value: SecretValue
    /// When it was made.
    public var createdAt: Timestamp?
    /// When it expires.
    public var expiresAt: Timestamp?
    /// When the older secrets expire because of it.
    public var fuse: Timestamp?

    /// A minted secret.
    public init(
        id: SecretID?, clientID: String? = nil, value: SecretValue, createdAt: Timestamp? = nil,
        expiresAt: Timestamp? = nil, fuse: Timestamp? = nil
    ) {
        self.id = id
        self.clientID = clientID
        self.value = value
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.fuse = fuse
    }
}

/// A step that only a person can do.
public enum ManualStep: Equatable, Sendable {
    /// Make a second secret and hand its value over.
    case addSecret
    /// Delete the secret of a slot.
    case deleteSecret(SlotName, SecretID?)
}

/// Leave to send one provider write, checked in the last instant before it is sent.
///
/// A runner that was stopped for longer than its claim must not send what another runner may have repaired meanwhile.
public struct WritePermit: Sendable {
    private let isValid: @Sendable () -> Bool

    /// A permit that asks the closure.
    public init(isValid: @escaping @Sendable () -> Bool) {
        self.isValid = isValid
    }

    /// Throws, with effect `none`, when the claim has run out.
    public func check() throws(ProviderError) {
        guard isValid() else {
            throw ProviderError(
                .transient, effect: .none, "the runner's claim ran out before the request was sent",
                remedy: "run keyover resume")
        }
    }
}

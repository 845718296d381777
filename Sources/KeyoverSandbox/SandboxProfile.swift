/// What the sandbox gets wrong on purpose; every knob can be changed while it runs.
///
/// A knob at its default does nothing. Times carry their unit in their name; 0 switches a knob off. The same `seed`
/// makes the same replicas lag and the same share of requests fail in every run.
public struct SandboxProfile: Codable, Equatable, Sendable {
    /// The preset that the profile began as.
    public var name = "calm"
    /// Decides which replica lags by how much, which requests are throttled and which answers are lost.
    public var seed = 1

    /// How many secrets a client may hold, active or not.
    public var maxSecrets = 2
    /// What minted secrets are made of.
    public var secretAlphabet = SecretAlphabet.base64url
    /// Whether an admin call may bring the value of a new secret.
    public var callerMayChooseSecret = false
    /// Whether only deactivated secrets can be deleted.
    public var deleteRequiresInactive = false
    /// The status that a full client is answered with, 409 or 400.
    public var quotaStatus = 409
    /// Adding a secret makes the older ones expire this long after; 0 for never.
    public var fuseSeconds = 0
    /// Whether deleting the secret that lit a fuse puts the fuse out.
    public var fuseEndsWithItsSecret = true

    /// How many replicas answer at the token endpoint.
    public var replicas = 1
    /// How the replica for a request is chosen.
    public var replicaChoice = ReplicaChoice.roundRobin
    /// By then every replica has seen a change of a secret.
    public var propagationMilliseconds = 0
    /// Whether a replica that has seen a change may forget it again until the bound is over.
    public var flapping = false
    /// How long a flapping replica keeps one opinion.
    public var flapMilliseconds = 250

    /// How many tokens of a client live at once; one more silently ends the oldest.
    public var maxLiveTokens = 10
    /// Whether deleting or deactivating a secret ends the tokens that were minted with it.
    public var deletionEndsTokens = false
    /// How `expires_in` is written.
    public var expiresIn = ExpiresInForm.number
    /// Whether token answers leave out `scope`.
    public var omitScope = false
    /// Whether a right secret without a `scope` parameter is answered like a wrong secret.
    public var refuseMissingScope = false
    /// How a wrong secret is answered.
    public var wrongSecret = RefusalStyle.standard
    /// How an unknown client is answered.
    public var unknownClient = RefusalStyle.standard
    /// How a disabled client is answered.
    public var disabledClient = RefusalStyle.standard
    /// How deep an extra array in token answers is nested.
    public var nestingDepth = 0

    /// Which share of requests is throttled, from 0 to 1.
    public var throttleFraction = 0.0
    /// How many of the next requests are throttled in any case; counts down.
    public var throttleNext = 0
    /// Which operations can be throttled.
    public var throttledOperations = SandboxOperation.exchangesAndSecretCalls
    /// The statuses to choose from, 429 or 503.
    public var throttleStatuses = [429]
    /// The forms of `Retry-After` to choose from.
    public var retryAfterForms = [RetryAfterForm.seconds]
    /// How long `Retry-After` asks for.
    public var retryAfterSeconds = 1

    /// How many of the next committed secret writes get a reset connection instead of an answer; counts down.
    public var loseAnswers = 0
    /// Which share of committed secret writes gets no answer, from 0 to 1.
    public var loseAnswersFraction = 0.0
    /// How many of the next minted tokens get a reset connection instead of an answer; counts down.
    public var loseTokenAnswers = 0

    /// How long an operation waits before it commits.
    public var delayBeforeMilliseconds: [SandboxOperation: Int] = [:]
    /// How long an operation that has committed waits before it answers.
    public var delayAfterMilliseconds: [SandboxOperation: Int] = [:]

    /// Which operations answer with bulky or slow bodies.
    public var bulkyOperations = [SandboxOperation.token]
    /// How much white space is appended to the body of a bulky operation.
    public var bodyPaddingBytes = 0
    /// The size of the pieces in which the body of a bulky operation drips; 0 for all at once.
    public var dripBytes = 0
    /// How long each piece waits.
    public var dripMilliseconds = 0

    /// How far the `Date` header and a dated `Retry-After` are ahead of the clock.
    public var dateSkewSeconds = 0

    /// A profile without any fault.
    public init() {}
}

/// What a request asks the sandbox to do, as far as faults can tell requests apart.
public enum SandboxOperation: String, Codable, CodingKeyRepresentable, CaseIterable, Sendable {
    /// A token exchange.
    case token
    /// Introspection of a token.
    case introspect
    /// Revocation of a token.
    case revoke
    /// A request to the protected resource.
    case resource
    /// An added secret.
    case add
    /// The list of secrets.
    case list
    /// A deactivated secret.
    case deactivate
    /// A reactivated secret.
    case reactivate
    /// A deleted secret.
    case delete

    /// Everything that a rotation asks of a provider.
    public static let exchangesAndSecretCalls: [Self] = [.token, .add, .list, .deactivate, .reactivate, .delete]

    /// Whether the operation changes a secret.
    var isSecretWrite: Bool {
        switch self {
        case .add, .deactivate, .reactivate, .delete: true
        case .token, .introspect, .revoke, .resource, .list: false
        }
    }
}

/// What minted secrets are made of.
public enum SecretAlphabet: String, Codable, Sendable {
    /// Letters, digits, `-` and `_`.
    case base64url
    /// Characters that break a client that does not form-encode, such as `%`, `+`, `&`, `=`, `:` and space.
    case hostile
}

/// How the replica for a request is chosen.
public enum ReplicaChoice: String, Codable, Sendable {
    /// One after the other.
    case roundRobin
    /// By the seed.
    case random
}

/// How a token answer writes `expires_in`.
public enum ExpiresInForm: String, Codable, Sendable {
    /// As a number.
    case number
    /// As a string of digits.
    case string
    /// Not at all.
    case absent
}

/// The two forms of `Retry-After`, and none.
public enum RetryAfterForm: String, Codable, Sendable {
    /// A number of seconds.
    case seconds
    /// An HTTP date.
    case date
    /// No such header.
    case absent
}

/// How the token endpoint refuses a client.
public enum RefusalStyle: String, Codable, Sendable {
    /// 401 `invalid_client`, as RFC 6749 says.
    case standard
    /// 401 `unauthorized_client`.
    case unauthorizedClient
    /// 400 `invalid_request`.
    case badRequest
    /// 403 without a body.
    case forbidden
    /// 403 `access_denied`.
    case accessDenied
    /// 404 `other_error`.
    case notFound
}

/// The normal form of what providers say when they say no.
///
/// A class is a reading of one answer. Whether a secret is dead is never decided from it alone but by controls
/// (``ProbeVerdict``).
public enum FailureClass: Hashable, Sendable {
    /// Client id or secret was not accepted.
    case credentialRejected
    /// The client exists and is turned off.
    case clientDisabled
    /// A scope, role or permission is missing.
    case scopeInsufficient
    /// Too many requests; the server may say when to come back.
    case rateLimited(retryAfter: TimeSpan?)
    /// The two clocks are too far apart.
    case clockSkew
    /// Outage, time-out, reset, 5xx: may pass by itself.
    case transient
    /// The object is not there.
    case notFound
    /// All slots are taken.
    case quotaFull
    /// The provider will not remove the last working secret.
    case lastSecret
    /// Anything else.
    case unknown

    /// The class as one stable word.
    public var word: String {
        switch self {
        case .credentialRejected: "credentialRejected"
        case .clientDisabled: "clientDisabled"
        case .scopeInsufficient: "scopeInsufficient"
        case .rateLimited: "rateLimited"
        case .clockSkew: "clockSkew"
        case .transient: "transient"
        case .notFound: "notFound"
        case .quotaFull: "quotaFull"
        case .lastSecret: "lastSecret"
        case .unknown: "unknown"
        }
    }

    /// Whether the same call may succeed after a wait.
    public var isPassing: Bool {
        switch self {
        case .rateLimited, .transient: true
        case .credentialRejected, .clientDisabled, .scopeInsufficient, .clockSkew, .notFound, .quotaFull, .lastSecret,
            .unknown:
            false
        }
    }
}

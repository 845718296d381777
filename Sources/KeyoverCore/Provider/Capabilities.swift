/// What a provider can do with the secrets of one client; strategies are chosen by it.
public struct Capabilities: Codable, Equatable, Sendable {
    /// How a lost answer to a mint is repaired.
    public enum MintRepair: String, Codable, Sendable {
        /// The list shows our tag; what bears it is removed, since its value is lost.
        case removeTagged
        /// The value can be read back.
        case readBack
        /// Minting again replaces what was minted.
        case replaceIdle
        /// Only a person can tell.
        case attention
    }

    /// How finely the provider reports use.
    public enum UsageEvidence: String, Codable, Sendable {
        /// Last use of each secret.
        case perSecret
        /// Use of the client as a whole.
        case perClient
        /// Nothing.
        case none
    }

    /// How many secrets a client may have at once.
    public var maxSecrets: Int
    /// Whether the caller may choose the value of a new secret.
    public var callerChoosesValue = false
    /// Whether adding a secret makes the provider prefer it at once.
    public var promotesOnAdd = false
    /// How long after an add the older secrets expire by themselves; `nil` when they do not.
    public var addStartsFuse: TimeSpan?
    /// Whether removing the added secret stops that clock.
    public var removalCancelsFuse = false
    /// Whether a secret can be turned off and on again.
    public var reversibleDeactivate = false
    /// Whether a secret must be turned off before it can be removed.
    public var deactivateBeforeDelete = false
    /// Whether one secret can be removed by its id.
    public var deletesByID = false
    /// Whether the provider itself refuses to remove the last working secret.
    public var lastSecretGuard = false
    /// Whether a new secret comes with a new client id.
    public var clientIDChanges = false
    /// Whether values can be read again later.
    public var secretReadable = false
    /// How long the provider lets a new secret live; `nil` for ever.
    public var serverExpiry: TimeSpan?
    /// The longest time until a change is in force at every replica.
    public var propagationBound: TimeSpan = .zero
    /// The longest time between sending a write and its taking effect.
    public var commitDelay: TimeSpan = .seconds(60)
    /// Accepted exchanges in a row that count as verified.
    public var verifyingExchanges = 3
    /// How many live tokens a client may have; `nil` when there is no cap.
    public var liveTokenCap: Int?
    /// Whether refused exchanges may lock the client out, so that controls with wrong secrets are forbidden.
    public var locksOut = false
    /// How finely use is reported.
    public var evidence: UsageEvidence = .none
    /// How a lost mint answer is repaired.
    public var mintRepair: MintRepair = .attention

    /// A provider that can hold so many secrets a client, with careful defaults for the rest.
    public init(maxSecrets: Int) {
        self.maxSecrets = maxSecrets
    }
}

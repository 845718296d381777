/// A recorded observation.
public struct Evidence: Codable, Hashable, Sendable {
    /// What was seen.
    public enum Kind: String, Codable, Sendable {
        /// A token exchange with the slot's secret succeeded.
        case accepted
        /// It was refused just as a random secret is, while a known-good one was accepted.
        case refused
        /// The canary resource took a token of the slot's secret.
        case canaryPassed
        /// All live consumers use the active generation.
        case consumersMoved
        /// The provider reports use of the slot's secret.
        case providerUsage
        /// The provider's list does not hold the secret any more.
        case listedGone
        /// A person says that the secret was deleted.
        case reportedDeleted
        /// An admin accepted that a consumer has not moved.
        case acceptedUndrained
    }

    /// What was seen.
    public var kind: Kind
    /// The secret concerned, by its provider id, when it has one.
    public var secretID: SecretID?
    /// The slot concerned when it was seen.
    public var slot: SlotName?
    /// When.
    public var at: ClockReading
    /// Particulars for people.
    public var detail: String?

    /// An observation.
    public init(_ kind: Kind, slot: SlotName?, secretID: SecretID? = nil, at: ClockReading, detail: String? = nil) {
        self.kind = kind
        self.slot = slot
        self.secretID = secretID
        self.at = at
        self.detail = detail
    }
}

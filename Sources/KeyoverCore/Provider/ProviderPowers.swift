/// What one adapter can do beyond being a provider: the one place that asks with `as?`.
public struct ProviderPowers: Sendable {
    /// The adapter itself.
    public let provider: any Provider
    /// Listing, when it can.
    public var listing: (any SecretListing)? { provider as? any SecretListing }
    /// Adding, when it can.
    public var adding: (any SecretAdding)? { provider as? any SecretAdding }
    /// Removing, when it can.
    public var removing: (any SecretRemoving)? { provider as? any SecretRemoving }
    /// Turning off and on, when it can.
    public var deactivating: (any SecretDeactivating)? { provider as? any SecretDeactivating }
    /// Reporting use, when it can.
    public var usage: (any UsageReporting)? { provider as? any UsageReporting }

    /// Ending tokens, when it can.
    public var revoking: (any TokenRevoking)? { provider as? any TokenRevoking }

    /// The powers of an adapter.
    public init(_ provider: any Provider) {
        self.provider = provider
    }
}

/// A call to a provider's administrative interface did not succeed.
public struct ProviderError: KeyoverError {
    /// What is known of the call's effect: the difference between trying again and looking first.
    public enum Effect: String, Sendable, Codable {
        /// The provider refused before it changed anything, or the request never left.
        case none
        /// The request may have been carried out: the answer was lost, cut short or makes no sense.
        case unknown
    }

    /// The normalised class of the failure.
    public let failure: FailureClass
    /// Whether the provider may have changed something.
    public let effect: Effect
    /// What happened, naming the object.
    public let message: String
    /// What to do next.
    public let remedy: String?
    /// The error below this one.
    public let underlying: (any Error)?

    /// A failure of a class with a known or unknown effect.
    public init(
        _ failure: FailureClass, effect: Effect, _ message: String, remedy: String? = nil,
        underlying: (any Error)? = nil
    ) {
        self.failure = failure
        self.effect = effect
        self.message = message
        self.remedy = remedy
        self.underlying = underlying
    }

    /// The word of the failure class.
    public var reason: String { failure.word }
    /// Whether waiting may help.
    public var isRetryable: Bool { failure.isPassing }
}

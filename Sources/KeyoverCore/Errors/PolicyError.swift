/// A policy file cannot be used.
public struct PolicyError: KeyoverError {
    /// The kind of failure; further kinds may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The stable word.
        public let description: String

        /// A key that the policy schema does not have.
        public static let unknownKey = Code(description: "unknownKey")
        /// A value that the key does not take.
        public static let invalidValue = Code(description: "invalidValue")
        /// A file that cannot be read or parsed.
        public static let unreadable = Code(description: "unreadable")
    }

    /// The kind of failure.
    public let code: Code
    /// What happened, naming the object.
    public let message: String
    /// What to do next.
    public let remedy: String?
    /// Whether the same call may succeed later.
    public let isRetryable: Bool
    /// The error below this one.
    public let underlying: (any Error)?

    /// An error of a kind, with what to tell people.
    public init(
        _ code: Code, _ message: String, remedy: String? = nil, isRetryable: Bool = false,
        underlying: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.isRetryable = isRetryable
        self.underlying = underlying
    }

    /// The stable word of the code.
    public var reason: String { code.description }
}

/// The audit log could not be written or is not what it should be.
public struct AuditError: KeyoverError {
    /// The kind of failure; further kinds may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The stable word.
        public let description: String

        /// The sink does not take the entry; rotations stop until it does.
        public static let unwritable = Code(description: "unwritable")
        /// An entry was changed, removed or reordered.
        public static let brokenChain = Code(description: "brokenChain")
        /// The sink did not answer within its bound.
        public static let timedOut = Code(description: "timedOut")
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

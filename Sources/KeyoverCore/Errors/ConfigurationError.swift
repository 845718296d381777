/// The configuration or the command line asks for something that cannot be.
public struct ConfigurationError: KeyoverError {
    /// The kind of failure; further kinds may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The stable word.
        public let description: String

        /// A key that no version of Keyover knows.
        public static let unknownKey = Code(description: "unknownKey")
        /// A value that the key does not take.
        public static let invalidValue = Code(description: "invalidValue")
        /// A file that cannot be read or parsed.
        public static let unreadable = Code(description: "unreadable")
        /// A file that cannot be written.
        public static let unwritable = Code(description: "unwritable")
        /// A provider kind that is not registered.
        public static let unknownProvider = Code(description: "unknownProvider")
        /// A tenant that the vault does not hold.
        public static let unknownTenant = Code(description: "unknownTenant")
        /// A URL that breaks the https rule or is malformed.
        public static let invalidURL = Code(description: "invalidURL")
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

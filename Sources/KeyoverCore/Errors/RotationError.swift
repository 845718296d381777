/// A rotation could not be started or carried on; nothing was lost.
public struct RotationError: KeyoverError {
    /// The kind of failure; further kinds may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The stable word.
        public let description: String

        /// The vault holds no such client.
        public static let unknownClient = Code(description: "unknownClient")
        /// Another runner is at work on the client.
        public static let busy = Code(description: "busy")
        /// A rotation is under way, so a new one cannot start.
        public static let inProgress = Code(description: "inProgress")
        /// There is no rotation to resume, abort or settle.
        public static let nothingInProgress = Code(description: "nothingInProgress")
        /// The old secret may be gone already; only forward is possible.
        public static let pastPointOfNoReturn = Code(description: "pastPointOfNoReturn")
        /// A rotation away from a leaked secret is not aborted.
        public static let compromised = Code(description: "compromised")
        /// No strategy fits what the provider can do.
        public static let unsupportedStrategy = Code(description: "unsupportedStrategy")
        /// The audit log takes no entries, so no change is made.
        public static let auditBlocked = Code(description: "auditBlocked")
        /// The vault does not take a write, so the provider is not called.
        public static let vaultNotWritable = Code(description: "vaultNotWritable")
        /// The active secret could not be verified live.
        public static let verificationFailed = Code(description: "verificationFailed")
        /// The client came out of a backup and is not verified yet.
        public static let restored = Code(description: "restored")
        /// The client or tenant lives in another vault by now.
        public static let moved = Code(description: "moved")
        /// The input does not belong to what the rotation waits for.
        public static let wrongInput = Code(description: "wrongInput")
        /// The rotation was interrupted and can be resumed.
        public static let interrupted = Code(description: "interrupted")
        /// Another runner took the rotation over.
        public static let superseded = Code(description: "superseded")
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

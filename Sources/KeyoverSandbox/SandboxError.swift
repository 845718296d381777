/// What the sandbox refuses, in process and (as JSON) over HTTP.
public struct SandboxError: Error, Sendable, CustomStringConvertible {
    /// A stable name for the reason; over HTTP it is the member `error`.
    public struct Code: Hashable, Sendable, RawRepresentable {
        /// The name as it stands in JSON.
        public let rawValue: String

        /// Creates a code of that name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The body, a parameter or a knob is malformed or out of range.
        public static let invalidRequest = Self(rawValue: "invalid_request")
        /// No client has that id.
        public static let clientNotFound = Self(rawValue: "client_not_found")
        /// A client with that id exists already.
        public static let clientExists = Self(rawValue: "client_exists")
        /// The client has no secret with that id (any more).
        public static let secretNotFound = Self(rawValue: "secret_not_found")
        /// The client holds as many secrets as it may.
        public static let quotaExceeded = Self(rawValue: "quota_exceeded")
        /// The last secret that works may be neither deleted nor deactivated.
        public static let lastSecret = Self(rawValue: "last_secret")
        /// Under this profile a secret must be deactivated before it is deleted.
        public static let secretActive = Self(rawValue: "secret_active")
        /// The address asked for is not a loopback address.
        public static let notLoopback = Self(rawValue: "not_loopback")
        /// The port cannot be bound.
        public static let cannotListen = Self(rawValue: "cannot_listen")
    }

    /// Why, for programs.
    public let code: Code
    /// Why, for people; never contains a secret.
    public let message: String
    /// What to do next.
    public let remedy: String

    init(_ code: Code, _ message: String, remedy: String) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    /// The message, followed by the remedy.
    public var description: String { "\(message); \(remedy)" }
}

extension SandboxError {
    static func invalid(_ message: String, remedy: String = "see docs/sandbox.md") -> Self {
        Self(.invalidRequest, message, remedy: remedy)
    }

    static func noClient(_ clientID: String) -> Self {
        Self(.clientNotFound, "no client \(clientID)", remedy: "list the clients with GET /admin/clients")
    }

    static func noSecret(_ secretID: String, of clientID: String) -> Self {
        Self(
            .secretNotFound, "client \(clientID) has no secret \(secretID)",
            remedy: "list its secrets with GET /admin/clients/\(clientID)/secrets")
    }
}

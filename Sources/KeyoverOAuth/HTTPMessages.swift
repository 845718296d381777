public import KeyoverCore

/// What one HTTP call may cost at most.
public struct HTTPLimits: Hashable, Sendable {
    /// The longest body, in bytes.
    public var bodyBytes: Int
    /// The deepest nesting of JSON in it.
    public var jsonDepth: Int
    /// The time from the beginning to the last byte, name look-up and TLS included.
    public var total: TimeSpan

    /// Limits of a call.
    public init(bodyBytes: Int, jsonDepth: Int, total: TimeSpan) {
        self.bodyBytes = bodyBytes
        self.jsonDepth = jsonDepth
        self.total = total
    }

    /// For token endpoints and canaries.
    public static let exchange = HTTPLimits(bodyBytes: 64 << 10, jsonDepth: 16, total: .seconds(15))
    /// For the administrative interfaces of providers, which may hold long lists.
    public static let administration = HTTPLimits(bodyBytes: 1 << 20, jsonDepth: 16, total: .seconds(25))
}

/// One HTTP request to an endpoint.
public struct HTTPCall: Sendable {
    /// The methods that Keyover uses.
    public enum Method: String, Sendable {
        /// Reads.
        case get = "GET"
        /// Makes or changes.
        case post = "POST"
        /// Replaces.
        case put = "PUT"
        /// Changes a part.
        case patch = "PATCH"
        /// Removes.
        case delete = "DELETE"
    }

    /// The method.
    public var method: Method
    /// Where it goes.
    public var url: EndpointURL
    /// Fields besides those that the transport sets.
    public var headers: [(name: String, value: String)]
    /// The body, which may hold a secret.
    public var body: [UInt8]?

    /// A request.
    public init(
        _ method: Method, _ url: EndpointURL, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// A complete answer within the limits.
public struct HTTPAnswer: Sendable {
    /// The status code.
    public let status: Int
    /// The first value of each field, by its name in lower case.
    public let headers: [String: String]
    /// The whole body.
    public let body: [UInt8]
    /// When the call began, by the local wall clock.
    public let sentAt: Timestamp
    /// When the last byte was there, by the local wall clock.
    public let receivedAt: Timestamp

    /// An answer.
    public init(status: Int, headers: [String: String], body: [UInt8], sentAt: Timestamp, receivedAt: Timestamp) {
        self.status = status
        self.headers = headers
        self.body = body
        self.sentAt = sentAt
        self.receivedAt = receivedAt
    }

    /// The server's clock, from the `Date` field.
    public var date: Timestamp? { headers["date"].flatMap(HTTPDate.parse) }
}

/// A call that did not end with a complete answer.
public struct HTTPFailure: Error, Sendable {
    /// What went wrong.
    public enum Cause: String, Sendable {
        /// No connection: name unknown, port closed, host unreachable.
        case cannotConnect
        /// TLS did not come about, or the certificate is not one to trust.
        case untrusted
        /// The name led to an address that no authorization server has.
        case forbiddenAddress
        /// The caller's last check said no.
        case withdrawn
        /// The time was up.
        case timedOut
        /// The connection ended before the answer was complete.
        case connectionLost
        /// The answer breaks the limits.
        case tooLarge
        /// The answer is not HTTP.
        case malformed
        /// The task was cancelled.
        case cancelled
    }

    /// What went wrong.
    public let cause: Cause
    /// Whether the server may have got the request: false only when no byte of it was handed to a connection.
    public let mayHaveArrived: Bool
    /// What happened, in words without address or content.
    public let message: String
    /// What the caller's last check threw.
    public let refusal: (any Error)?

    /// Whether the same call may succeed later by itself.
    public var isPassing: Bool {
        switch cause {
        case .cannotConnect, .timedOut, .connectionLost, .cancelled: true
        case .untrusted, .forbiddenAddress, .withdrawn, .tooLarge, .malformed: false
        }
    }
}

public import KeyoverCore

/// Reads the class of a failure out of an answer that is no token.
///
/// One answer is one reading: many servers answer a wrong secret, an unknown client and a missing scope alike, so nothing
/// is decided from a class that controls can decide (``ProbeVerdict``).
public enum FailureClassifier {
    /// The longest wait that a server is believed.
    public static let longestRetryAfter = TimeSpan.hours(1)

    /// The class of a complete answer of a token endpoint.
    public static func failure(status: Int, body: OAuthErrorBody?, retryAfter: TimeSpan?) -> FailureClass {
        for code in body?.codes ?? [] {
            if let known = entra(code, retryAfter) { return known }
        }
        switch status {
        case 429: return .rateLimited(retryAfter: retryAfter)
        case 503 where retryAfter != nil: return .rateLimited(retryAfter: retryAfter)
        case 408, 425, 500...599: return .transient
        default: break
        }
        if let known = body?.error.flatMap({ oauth($0, retryAfter) }) { return known }
        switch status {
        case 400, 401, 403: return body?.error == nil ? .credentialRejected : .unknown
        case 404, 410: return .notFound
        default: return .unknown
        }
    }

    /// The class of a resource's answer to a bearer token (RFC 6750 section 3.1).
    public static func resourceFailure(status: Int, retryAfter: TimeSpan?) -> FailureClass {
        switch status {
        case 401: .credentialRejected
        case 403: .scopeInsufficient
        case 400: .unknown
        default: failure(status: status, body: nil, retryAfter: retryAfter)
        }
    }

    /// The codes of RFC 6749 section 5.2, and what servers in the field use in their place.
    private static func oauth(_ error: String, _ retryAfter: TimeSpan?) -> FailureClass? {
        switch error {
        case "invalid_client", "unauthorized_client", "access_denied", "invalid_grant": .credentialRejected
        case "invalid_scope", "scope_invalid", "insufficient_scope": .scopeInsufficient
        case "temporarily_unavailable", "server_error": .transient
        case "slow_down": .rateLimited(retryAfter: retryAfter)
        default: nil
        }
    }

    /// The numbers that Entra ID gives beside `invalid_client` and the like.
    private static func entra(_ code: Int, _ retryAfter: TimeSpan?) -> FailureClass? {
        switch code {
        case 7_000_215, 7_000_222: .credentialRejected
        case 7_000_112: .clientDisabled
        case 700_016: .notFound
        case 70_011: .scopeInsufficient
        case 90_055: .rateLimited(retryAfter: retryAfter)
        default: nil
        }
    }

    /// How long the server asks to wait, counted from the answer; at most ``longestRetryAfter``.
    ///
    /// `Retry-After` in both forms, a date being read by the server's own clock; else what Okta and Genesys Cloud send.
    public static func retryAfter(in answer: HTTPAnswer) -> TimeSpan? {
        let serverTime = answer.date ?? answer.receivedAt
        let span: TimeSpan?
        if let text = answer.headers["retry-after"] {
            span = seconds(text) ?? HTTPDate.parse(text).map { $0 - serverTime }
        } else if let reset = answer.headers["x-rate-limit-reset"].flatMap(seconds) {
            span = Timestamp(millisecondsSinceEpoch: reset.milliseconds) - serverTime
        } else {
            span = answer.headers["inin-ratelimit-reset"].flatMap(seconds)
        }
        return span.map { min(max($0, .zero), longestRetryAfter) }
    }

    private static func seconds(_ text: String) -> TimeSpan? {
        guard (1...12).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int64(text).map(TimeSpan.seconds)
    }
}

/// The error answer of RFC 6749 section 5.2, read with tolerance.
public struct OAuthErrorBody: Decodable, Equatable, Sendable {
    /// The `error` member.
    public var error: String?
    /// The `error_description` member, or Genesys Cloud's `description`.
    public var description: String?
    /// Entra ID's `error_codes`.
    public var codes: [Int]

    private enum CodingKeys: String, CodingKey {
        case error
        case errorDescription = "error_description"
        case description
        case errorCodes = "error_codes"
    }

    /// An error answer.
    public init(error: String?, description: String? = nil, codes: [Int] = []) {
        self.error = error
        self.description = description
        self.codes = codes
    }

    /// Reads what is there and of the right kind, and leaves out the rest.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func text(_ key: CodingKeys) -> String? {
            (try? container.decodeIfPresent(String.self, forKey: key)).flatMap(\.self)
        }
        error = text(.error)
        description = text(.errorDescription) ?? text(.description)
        codes = (try? container.decodeIfPresent([Int].self, forKey: .errorCodes)).flatMap(\.self) ?? []
    }
}

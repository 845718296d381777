/// A token exchange did not yield a token.
public struct ExchangeError: KeyoverError {
    /// The normalised class of the failure.
    public let failure: FailureClass
    /// How the server answered, so that controls can tell one refusal from another; `nil` when it did not answer.
    public let answer: AnswerShape?
    /// What happened, naming client and endpoint.
    public let message: String
    /// What to do next.
    public let remedy: String?
    /// The error below this one.
    public let underlying: (any Error)?

    /// A failure of a class, with the shape of the answer.
    public init(
        _ failure: FailureClass, answer: AnswerShape? = nil, _ message: String, remedy: String? = nil,
        underlying: (any Error)? = nil
    ) {
        self.failure = failure
        self.answer = answer
        self.message = message
        self.remedy = remedy
        self.underlying = underlying
    }

    /// The word of the failure class.
    public var reason: String { failure.word }
    /// Whether waiting may help.
    public var isRetryable: Bool { failure.isPassing }
}

/// What an answer looks like when values that differ from call to call are left out.
public struct AnswerShape: Hashable, Codable, Sendable {
    /// The HTTP status code.
    public var status: Int
    /// The `error` member of RFC 6749 section 5.2, or `nil` when the body holds none.
    public var error: String?

    /// The shape of one answer.
    public init(status: Int, error: String?) {
        self.status = status
        self.error = error
    }
}

import KeyoverCore

/// Words the errors of one call, so that each names the subject and the endpoint, and none a secret.
struct Reporter {
    /// What was tried, such as `token exchange of client billing`, and where as soon as that is known to be fit to be shown.
    private(set) var subject: String
    /// Cleans what the server wrote.
    let text: ServerText
    /// What the URL is called where it is set.
    let setting: String

    func error(
        _ failure: FailureClass, answer: AnswerShape? = nil, _ what: String, remedy: String? = nil,
        underlying: (any Error)? = nil
    ) -> ExchangeError {
        ExchangeError(failure, answer: answer, "\(subject): \(what)", remedy: remedy, underlying: underlying)
    }

    /// The URL when it may be sent a secret; from then on errors name its origin.
    mutating func check(_ url: String, allowsLoopbackHTTP: Bool) throws(ExchangeError) -> EndpointURL {
        do {
            let url = try EndpointURL(url, allowsLoopbackHTTP: allowsLoopbackHTTP)
            subject += " at \(url.origin)"
            return url
        } catch {
            throw self.error(
                .unknown, "the \(setting) is refused: \(error.message)",
                remedy: "correct the \(setting) with keyover client edit", underlying: error)
        }
    }

    func send(
        _ call: HTTPCall, over http: BoundedHTTP, _ limits: HTTPLimits
    ) async throws(ExchangeError) -> HTTPAnswer {
        let answer: HTTPAnswer
        do {
            answer = try await http.send(call, limits: limits)
        } catch {
            let remedy =
                switch error.cause {
                case .untrusted: "if a private authority signs the server's certificates, name it in KEYOVER_CA_FILE"
                case .cannotConnect, .timedOut, .connectionLost:
                    "check the \(setting) and the network, then run the command again"
                case .forbiddenAddress: "check the \(setting), and whom its host's name belongs to"
                case .tooLarge, .malformed: "check that the \(setting) leads to the right server"
                case .withdrawn, .cancelled: "run the command again"
                }
            throw self.error(
                error.isPassing ? .transient : .unknown, error.message, remedy: remedy, underlying: error)
        }
        guard !(300..<400).contains(answer.status) else { throw redirect(answer) }
        return answer
    }

    /// An answer that leads elsewhere: a secret is sent only where an admin said.
    func redirect(_ answer: HTTPAnswer) -> ExchangeError {
        let location = answer.headers["location"]
        let target = location.flatMap { try? EndpointURL($0, allowsLoopbackHTTP: true) }
        let elsewhere = target.flatMap { text.clean($0.origin, limit: 200) }
        return error(
            .unknown, answer: AnswerShape(status: answer.status, error: nil),
            "answered \(answer.status) and leads to \(elsewhere ?? "another place"), which is not followed",
            remedy: "if that is the right place, set the \(setting) to it with keyover client edit")
    }

    /// A complete answer that says no, at a token endpoint.
    func refusal(_ answer: HTTPAnswer, depth: Int) -> ExchangeError {
        let body = BoundedJSON.object(OAuthErrorBody.self, from: answer.body, depth: depth)
        let failure = FailureClassifier.failure(
            status: answer.status, body: body, retryAfter: FailureClassifier.retryAfter(in: answer))
        let code = body?.error.flatMap { text.clean($0, limit: 64) }
        let said = body?.description.flatMap { text.clean($0, limit: 200) }
        let words = ["answered \(answer.status)", code, said.map { "(\($0))" }].compactMap { $0 }
        return error(
            failure, answer: AnswerShape(status: answer.status, error: code), words.joined(separator: " "),
            remedy: Self.remedy(for: failure))
    }

    /// A complete answer that says no, at a resource.
    func resourceRefusal(_ answer: HTTPAnswer) -> ExchangeError {
        let failure = FailureClassifier.resourceFailure(
            status: answer.status, retryAfter: FailureClassifier.retryAfter(in: answer))
        return error(
            failure, answer: AnswerShape(status: answer.status, error: nil), "answered \(answer.status)",
            remedy: failure == .scopeInsufficient ? "check the client's scopes and roles for the canary URL" : nil)
    }

    /// A complete answer that says yes and holds no token.
    func noToken(_ answer: HTTPAnswer, _ what: String) -> ExchangeError {
        error(
            .unknown, answer: AnswerShape(status: answer.status, error: nil), what,
            remedy: "check that the \(setting) is that of the OAuth token endpoint")
    }

    private static func remedy(for failure: FailureClass) -> String? {
        switch failure {
        case .credentialRejected: "run keyover verify to learn which secret works"
        case .clientDisabled: "turn the client on at the provider"
        case .scopeInsufficient: "check the scopes with keyover client show"
        case .rateLimited: "wait, then run the command again"
        case .transient: "run the command again"
        case .notFound: "check client id and token URL with keyover client show"
        case .clockSkew: "set the clock of this machine"
        case .quotaFull, .lastSecret, .unknown: "check the client at the provider's console, then run keyover verify"
        }
    }
}

import FoundationEssentials
import KeyoverCore
import KeyoverOAuth

/// Calls of a provider's JSON interface that say of each write whether it may have been carried out.
///
/// A write is sent once. It certainly had no effect when nothing was handed to a connection, or when the server answered
/// it completely with 4xx. Everything else (no answer, half an answer, 5xx, a redirect, a yes that makes no sense) may have
/// been carried out.
struct AdministrativeCall: Sendable {
    /// Reads the provider's own words for a complete answer that says no; `nil` leaves it to the status.
    typealias FailureReader = @Sendable (HTTPAnswer) -> FailureClass?

    let http: BoundedHTTP
    let limits: HTTPLimits
    /// What the provider is called in messages, such as `sandbox at http://127.0.0.1:8089`.
    let provider: String
    let readFailure: FailureReader

    /// One request; `permit` is there exactly when it writes.
    func send(
        _ call: HTTPCall, to purpose: String, permit: WritePermit? = nil
    ) async throws(ProviderError) -> HTTPAnswer {
        // Asked before a connection is made as well, so that an expired claim costs nobody anything.
        try permit?.check()
        let answer: HTTPAnswer
        do {
            answer = try await http.send(call, limits: limits) { try permit?.check() }
        } catch {
            if let refusal = error.refusal as? ProviderError { throw refusal }
            throw failure(error, to: purpose, isWrite: permit != nil)
        }
        guard (200..<300).contains(answer.status) else {
            throw refusal(answer, to: purpose, isWrite: permit != nil)
        }
        return answer
    }

    /// The JSON object of an answer that said yes.
    func object<Value: Decodable>(
        _ type: Value.Type, in answer: HTTPAnswer, to purpose: String, isWrite: Bool
    ) throws(ProviderError) -> Value {
        guard let value = BoundedJSON.object(type, from: answer.body, depth: limits.jsonDepth) else {
            throw ProviderError(
                .unknown, effect: isWrite ? .unknown : .none,
                "\(provider) answered \(answer.status) to \(purpose), with a body that makes no sense",
                remedy: "check the base URL with keyover tenant show")
        }
        return value
    }

    private func failure(_ failure: HTTPFailure, to purpose: String, isWrite: Bool) -> ProviderError {
        let remedy =
            switch failure.cause {
            case .untrusted: "if a private authority signs the server's certificates, name it in KEYOVER_CA_FILE"
            case .cannotConnect: "check the base URL with keyover tenant show"
            default: "run the command again"
            }
        return ProviderError(
            failure.isPassing ? .transient : .unknown, effect: isWrite && failure.mayHaveArrived ? .unknown : .none,
            "could not \(purpose) at \(provider): \(failure.message)", remedy: remedy, underlying: failure)
    }

    private func refusal(_ answer: HTTPAnswer, to purpose: String, isWrite: Bool) -> ProviderError {
        let isRefused = (400..<500).contains(answer.status)
        let retryAfter = FailureClassifier.retryAfter(in: answer)
        let failure =
            (isRefused ? readFailure(answer) : nil) ?? Self.failure(status: answer.status, retryAfter: retryAfter)
        return ProviderError(
            failure, effect: isWrite && !isRefused ? .unknown : .none,
            "could not \(purpose) at \(provider): it answered \(answer.status) (\(failure.word))",
            remedy: Self.remedy(for: failure))
    }

    private static func failure(status: Int, retryAfter: TimeSpan?) -> FailureClass {
        switch status {
        case 401: .credentialRejected
        case 403: .scopeInsufficient
        case 404, 410: .notFound
        case 429: .rateLimited(retryAfter: retryAfter)
        case 503 where retryAfter != nil: .rateLimited(retryAfter: retryAfter)
        case 408, 425, 500...599: .transient
        default: .unknown
        }
    }

    private static func remedy(for failure: FailureClass) -> String {
        switch failure {
        case .credentialRejected: "replace the admin credential with keyover tenant edit --admin-stdin"
        case .scopeInsufficient: "give the admin credential the right to manage secrets of clients"
        case .notFound: "check the client id with keyover client show, and look at the provider's console"
        case .quotaFull: "look at the client's secrets at the provider's console, and remove what nobody uses"
        case .lastSecret: "add another secret first, with keyover rotate"
        case .rateLimited, .transient: "run the command again later"
        case .clientDisabled, .clockSkew, .unknown: "check the client at the provider, then run keyover verify"
        }
    }
}

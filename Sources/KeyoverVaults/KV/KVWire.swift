import KeyoverCore
import KeyoverSealing

/// The moment by which a call on the store has to end, however many requests it takes.
struct KVDeadline: Sendable {
    private let end: ContinuousClock.Instant

    /// So long from now.
    init(_ patience: TimeSpan) { end = ContinuousClock.now + patience.duration }

    /// What is left, at least a millisecond, which is enough to fail.
    var left: TimeSpan {
        let (seconds, attoseconds) = ContinuousClock.now.duration(to: end).components
        return max(.milliseconds(1), .milliseconds(seconds * 1000 + attoseconds / 1_000_000_000_000_000))
    }
}

/// Sends single requests to the server, with the fields that its API wants.
struct KVWire: Sendable {
    /// The longest answer: an entry with a secret of 1 MiB, in plain and sealed, in Base64.
    private static let answerLimit = 16 << 20

    let location: KVLocation
    private let http: StoreHTTP

    /// What refusals mean.
    var failures: KVFailures { KVFailures(location: location) }

    /// A wire to the server of a place.
    init(_ location: KVLocation, _ reach: VaultReach) throws(VaultError) {
        self.location = location
        http = try StoreHTTP(reach)
    }

    /// One request and its complete answer, whatever the status.
    ///
    /// What only reads is sent a second time when the connection, which may have been an old one, was lost.
    func send(
        _ method: String, _ path: String, query: String = "", _ body: [UInt8]?, _ token: KVSession.Token?,
        _ deadline: KVDeadline
    ) async throws(VaultError) -> StoreAnswer {
        var request = StoreRequest(
            method: method, target: KVLocation.target(path) + query, answerLimit: Self.answerLimit)
        request.headers = [("X-Vault-Request", "true")]
        if let namespace = location.namespace { request.headers.append(("X-Vault-Namespace", namespace)) }
        if let token {
            let text = token.value.withUnsafeSecretBytes { String(decoding: $0, as: UTF8.self) }
            request.headers.append(("X-Vault-Token", text))
        }
        if let body {
            request.headers.append(("Content-Type", "application/json"))
            request.body = body
        }
        do throws(StoreFailure) {
            return try await http.send(request, to: location.server, within: deadline.left)
        } catch {
            guard method == "GET", error.cause == .connectionLost else { throw error.error }
        }
        do throws(StoreFailure) {
            return try await http.send(request, to: location.server, within: deadline.left)
        } catch {
            throw error.error
        }
    }

    /// What an answer holds; `nil` when it is not what the API promises.
    func content<Content: Decodable>(_ type: Content.Type, _ answer: StoreAnswer) -> KVAnswers.Envelope<Content>? {
        StoreJSON.object(KVAnswers.Envelope<Content>.self, from: answer.body)
    }
}

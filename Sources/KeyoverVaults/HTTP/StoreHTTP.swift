import AsyncHTTPClient
import KeyoverCore
import KeyoverSealing
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// Talks HTTP to the servers that keep a vault, and distrusts what comes back.
///
/// Connections are kept and used again, but nothing is ever sent twice by itself. It follows no redirect, speaks HTTP/1.1
/// only, verifies TLS always, and every call ends within its patience.
final class StoreHTTP: Sendable {
    private let client: HTTPClient
    private let streams: HTTPClient
    private let patience: TimeSpan

    /// - Parameters:
    ///   - silence: How long nothing may come in a stream before it counts as dead.
    ///   - connecting: How long a connection may take to stand, where that is less than the patience.
    init(
        _ reach: VaultReach, silence: TimeSpan = .seconds(20), connecting: TimeSpan? = nil
    ) throws(VaultError) {
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: try Self.tls(reach), redirectConfiguration: .disallow)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.idleTimeout = .seconds(30)
        configuration.decompression = .disabled
        configuration.timeout.connect = .milliseconds(
            max(1, min(connecting ?? reach.patience, reach.patience).milliseconds))
        let group = MultiThreadedEventLoopGroup.singleton
        client = HTTPClient(eventLoopGroup: group, configuration: configuration)
        configuration.timeout.read = .milliseconds(max(1, silence.milliseconds))
        streams = HTTPClient(eventLoopGroup: group, configuration: configuration)
        patience = reach.patience
    }

    deinit {
        // Closing TLS may wait for a peer that does not answer; nobody waits for that.
        Task { [client, streams] in
            try? await client.shutdown()
            try? await streams.shutdown()
        }
    }

    /// One request and its complete answer, whatever the status.
    ///
    /// - Parameter patience: How long the call may take where that is less than the store's patience.
    func send(
        _ request: StoreRequest, to server: ServerURL, within patience: TimeSpan? = nil
    ) async throws(StoreFailure) -> StoreAnswer {
        let time = min(patience ?? self.patience, self.patience)
        let progress = SendingProgress()
        do {
            return try await withThrowingTaskGroup(of: StoreAnswer.self) { [client] group in
                group.addTask {
                    let deadline = NIODeadline.now() + .milliseconds(time.milliseconds)
                    let response = try await client.execute(request.made(for: server, progress), deadline: deadline)
                    return try await Self.answer(response, limit: request.answerLimit)
                }
                group.addTask {
                    try await Task.sleep(for: time.duration)
                    throw StoreFailure.Found(.timedOut, "no complete answer within \(time.rounded)")
                }
                defer { group.cancelAll() }
                guard let answer = try await group.next() else { throw CancellationError() }
                return answer
            }
        } catch {
            throw StoreFailure(error, mayHaveArrived: progress.mayHaveArrived, server)
        }
    }

    /// One request whose answer never ends by itself; only its head has to come within the patience.
    func stream(
        _ request: StoreRequest, to server: ServerURL, within patience: TimeSpan? = nil
    ) async throws(StoreFailure) -> StoreStream {
        let time = min(patience ?? self.patience, self.patience)
        let progress = SendingProgress()
        do {
            return try await withThrowingTaskGroup(of: StoreStream.self) { [streams] group in
                group.addTask {
                    let made = request.made(for: server, progress)
                    let response = try await streams.execute(made, deadline: .distantFuture)
                    return StoreStream(response, server, lineLimit: request.answerLimit)
                }
                group.addTask {
                    try await Task.sleep(for: time.duration)
                    throw StoreFailure.Found(.timedOut, "no answer within \(time.rounded)")
                }
                defer { group.cancelAll() }
                guard let stream = try await group.next() else { throw CancellationError() }
                return stream
            }
        } catch {
            throw StoreFailure(error, mayHaveArrived: progress.mayHaveArrived, server)
        }
    }

    private static func answer(_ response: HTTPClientResponse, limit: Int) async throws -> StoreAnswer {
        var body: [UInt8] = []
        for try await chunk in response.body {
            guard body.count + chunk.readableBytes <= limit else {
                throw StoreFailure.Found(.tooLarge, "its answer is longer than \(limit) bytes")
            }
            body += chunk.readableBytesView
        }
        // A cancelled body ends as if it were complete.
        try Task.checkCancellation()
        return StoreAnswer(response, body)
    }

    private static func tls(_ reach: VaultReach) throws(VaultError) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let caFile = reach.caFile {
            let found = try? NIOSSLCertificate.fromPEMFile(caFile)
            guard let found, !found.isEmpty else {
                throw VaultError(
                    .invalid, "the file of certificate authorities \(caFile) cannot be read as PEM",
                    remedy: "correct ca_file or KEYOVER_CA_FILE")
            }
            tls.additionalTrustRoots = [.certificates(found)]
        }
        guard let certificate = reach.certificate else { return tls }
        let chain = (try? NIOSSLCertificate.fromPEMFile(certificate.chain)) ?? []
        let file = try PrivateFile.read(certificate.key, limit: 1 << 16)
        let key = file.withUnsafeSecretBytes { try? NIOSSLPrivateKey(bytes: Array($0), format: .pem) }
        guard !chain.isEmpty, let key else {
            throw VaultError(
                .invalid, "\(chain.isEmpty ? certificate.chain : certificate.key) cannot be read as PEM",
                remedy: "correct vault_certificate and vault_certificate_key")
        }
        tls.certificateChain = chain.map { .certificate($0) }
        tls.privateKey = .privateKey(key)
        return tls
    }
}

/// Whether any of a request was handed to a connection.
final class SendingProgress: Sendable {
    private let isAsked = Atomic(false)

    var mayHaveArrived: Bool { isAsked.load(ordering: .acquiring) }
    func begin() { isAsked.store(true, ordering: .releasing) }
}

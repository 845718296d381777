import AsyncHTTPClient
import Glibc
public import KeyoverCore
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// Sends HTTP requests that carry secrets, and distrusts what comes back.
///
/// Each call has a client of its own: one request on one new connection, nothing pooled and nothing sent twice. It follows no
/// redirect, speaks HTTP/1.1 only, verifies TLS always, and ends within ``HTTPLimits``. Headers beyond 80 KiB are refused
/// by the parser.
public struct BoundedHTTP: Sendable {
    private let configuration: HTTPClient.Configuration

    /// A sender that trusts the system's certificate authorities, and besides those in the PEM file if one is given.
    public init(caFile: String? = nil) throws(ConfigurationError) {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let caFile {
            tls.additionalTrustRoots = [.certificates(try Self.certificates(in: caFile))]
        }
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.maximumUsesPerConnection = 1
        configuration.decompression = .disabled
        self.configuration = configuration
    }

    private static func certificates(in path: String) throws(ConfigurationError) -> [NIOSSLCertificate] {
        let found = try? NIOSSLCertificate.fromPEMFile(path)
        guard let found, !found.isEmpty else {
            throw ConfigurationError(
                .unreadable, "the file of certificate authorities \(path) cannot be read as PEM",
                remedy: "correct ca_file or KEYOVER_CA_FILE")
        }
        return found
    }

    /// One request and its complete answer, whatever the status.
    ///
    /// `lastCheck` is asked when the connection stands, directly before the request is handed to it; what it throws becomes
    /// ``HTTPFailure/refusal``, and then nothing was sent.
    public func send(
        _ call: HTTPCall, limits: HTTPLimits, lastCheck: @escaping @Sendable () throws -> Void = {}
    ) async throws(HTTPFailure) -> HTTPAnswer {
        let progress = CallProgress()
        var configuration = configuration
        configuration.timeout.connect = .milliseconds(min(10_000, limits.total.milliseconds))
        configuration.http1_1ConnectionDebugInitializer = { channel in progress.admit(channel, lastCheck) }
        let client = HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup, configuration: configuration)
        // Closing TLS may wait for a peer that does not answer; the caller need not.
        defer { Task { try? await client.shutdown() } }
        do {
            return try await withThrowingTaskGroup(of: HTTPAnswer.self) { group in
                group.addTask { try await Self.perform(call, on: client, limits) }
                group.addTask {
                    try await Task.sleep(for: limits.total.duration)
                    throw TransportError(.timedOut, "no complete answer within \(limits.total.rounded)")
                }
                defer { group.cancelAll() }
                guard let answer = try await group.next() else { throw CancellationError() }
                return answer
            }
        } catch {
            throw progress.failure(from: error)
        }
    }

    private static func perform(
        _ call: HTTPCall, on client: HTTPClient, _ limits: HTTPLimits
    ) async throws -> HTTPAnswer {
        var request = HTTPClientRequest(url: call.url.description)
        request.method = HTTPMethod(rawValue: call.method.rawValue)
        request.headers = HTTPHeaders(call.headers.map { ($0.name, $0.value) })
        request.headers.replaceOrAdd(name: "Connection", value: "close")
        request.headers.replaceOrAdd(name: "User-Agent", value: "keyover")
        request.body = call.body.map { .bytes(ByteBuffer(bytes: $0)) }
        let sentAt = Timestamp.wallClock()
        let response = try await client.execute(request, timeout: .milliseconds(limits.total.milliseconds))
        var body: [UInt8] = []
        for try await chunk in response.body {
            guard body.count + chunk.readableBytes <= limits.bodyBytes else {
                throw TransportError(.tooLarge, "the answer is longer than \(limits.bodyBytes) bytes")
            }
            body += chunk.readableBytesView
        }
        // A cancelled body ends as if it were complete.
        try Task.checkCancellation()
        let headers = Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
        return HTTPAnswer(
            status: Int(response.status.code), headers: headers, body: body, sentAt: sentAt,
            receivedAt: Timestamp.wallClock())
    }
}

/// What is known of a call while it is under way, seen from its connection.
final class CallProgress: Sendable {
    private struct State {
        var isAdmitted = false
        var refusal: (any Error)?
    }

    private let state = Mutex(State())

    /// Lets the request pass to the connection that was just made, or closes that unused.
    func admit(_ channel: any Channel, _ lastCheck: @Sendable () throws -> Void) -> EventLoopFuture<Void> {
        do {
            let peer = channel.remoteAddress?.ipAddress.flatMap(NetworkAddress.init)
            if let objection = peer?.objection {
                throw TransportError(.forbiddenAddress, "the name of the host leads to \(objection)")
            }
            do {
                try lastCheck()
            } catch {
                state.withLock { $0.refusal = error }
                throw TransportError(.withdrawn, "the request was withdrawn before it was sent")
            }
            state.withLock { $0.isAdmitted = true }
            return channel.eventLoop.makeSucceededVoidFuture()
        } catch {
            // Closed only after the pool has heard of the failure: it takes an early close for a lost connection.
            channel.eventLoop.execute { channel.close(promise: nil) }
            return channel.eventLoop.makeFailedFuture(error)
        }
    }

    func failure(from error: any Error) -> HTTPFailure {
        let known = TransportError(error)
        return state.withLock { state in
            HTTPFailure(
                cause: known.cause, mayHaveArrived: state.isAdmitted, message: known.message, refusal: state.refusal)
        }
    }
}

extension Timestamp {
    /// The local wall clock.
    static func wallClock() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(millisecondsSinceEpoch: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// How a sandbox is to be started.
public struct SandboxConfiguration: Sendable {
    /// `127.0.0.1` or `::1`; the sandbox listens nowhere else.
    public var host = "127.0.0.1"
    /// The port to listen on; 0 for any free one.
    public var port = 0
    /// What goes wrong from the start.
    public var profile = SandboxProfile.calm
    /// What drives expiry, fuses and propagation; delays of answers always take real time.
    public var clock: @Sendable () -> SandboxInstant = { .now }

    /// A calm sandbox on any free port.
    public init(host: String = "127.0.0.1", port: Int = 0, profile: SandboxProfile = .calm) {
        self.host = host
        self.port = port
        self.profile = profile
    }
}

/// An OAuth server on loopback whose clients hold two secrets, for demonstrations, rehearsals and tests.
///
/// It keeps everything in memory and forgets it when it stops. The admin interface over HTTP needs ``adminToken``;
/// whoever runs the sandbox in process can use the methods here instead.
public final class SandboxServer: Sendable {
    /// Where the sandbox listens.
    public let port: Int
    /// The issuer, without a slash at its end, such as `http://127.0.0.1:8089`.
    public let baseURL: String
    /// Opens the admin calls, as `Authorization: Bearer`; a new one for each start.
    public var adminToken: String { sandbox.adminToken }

    private let sandbox: Sandbox
    private let running: Task<Void, any Error>

    private init(configuration: SandboxConfiguration, port: Int, sandbox: Sandbox, running: Task<Void, any Error>) {
        self.port = port
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        baseURL = "http://\(host):\(port)"
        self.sandbox = sandbox
        self.running = running
    }

    /// Starts a sandbox and returns once it listens.
    public static func start(
        _ configuration: SandboxConfiguration = SandboxConfiguration()
    ) async throws(SandboxError) -> SandboxServer {
        guard ["127.0.0.1", "::1"].contains(configuration.host) else {
            throw SandboxError(
                .notLoopback, "the sandbox does not listen on \(configuration.host)",
                remedy: "leave the address out, or use 127.0.0.1 or ::1")
        }
        guard (0...65535).contains(configuration.port) else {
            throw .invalid("there is no port \(configuration.port)", remedy: "choose one from 0 (any) to 65535")
        }
        try configuration.profile.validate()
        let sandbox = Sandbox(profile: configuration.profile, clock: configuration.clock)
        let (events, continuation) = AsyncStream.makeStream(of: StartEvent.self)
        let running = Task {
            do {
                try await serve(sandbox, configuration) { continuation.yield(.listening(port: $0)) }
                continuation.yield(.failed("it stopped at once"))
            } catch {
                continuation.yield(.failed(String(describing: error)))
                throw error
            }
        }
        for await event in events {
            switch event {
            case .listening(let port):
                return SandboxServer(configuration: configuration, port: port, sandbox: sandbox, running: running)
            case .failed(let reason):
                throw cannotListen(configuration, reason)
            }
        }
        running.cancel()
        throw cannotListen(configuration, "the start was cancelled")
    }

    /// Stops listening, ends what is under way and returns once the port is free.
    public func stop() async {
        running.cancel()
        _ = await running.result
    }

    /// Returns when the sandbox has stopped, for a command that does nothing else.
    public func waitUntilStopped() async {
        _ = await running.result
    }

    // MARK: In-process administration

    /// What goes wrong; can be changed at any time.
    public var profile: SandboxProfile {
        sandbox.decide { state, _ in state.profile }
    }

    /// Changes the profile from now on, if it is one that the sandbox can follow.
    public func setProfile(_ profile: SandboxProfile) throws(SandboxError) {
        try profile.validate()
        sandbox.decide { state, _ in state.profile = profile }
    }

    /// Registers a client together with its first secret, which all replicas know at once.
    public func createClient(
        clientID: String, name: String? = nil, scopes: [String] = [], tokenLifetime: Int = 3600, secret: String? = nil
    ) throws(SandboxError) -> (secretID: String, secret: String) {
        let draft = ClientDraft(
            clientID: clientID, name: name, scopes: scopes, tokenLifetime: tokenLifetime, secret: secret)
        return try sandbox.decide { state, now throws(SandboxError) in
            let (_, secret) = try state.createClient(draft, at: now)
            return (secret.id, secret.text)
        }
    }

    /// How many requests for an operation have come, those included that are being held back or were refused.
    public func arrivals(of operation: SandboxOperation) -> Int {
        sandbox.decide { state, _ in state.arrivals[operation] ?? 0 }
    }

    /// What has been counted for a client.
    public func stats(clientID: String) throws(SandboxError) -> SandboxStatistics {
        try sandbox.decide { state, now throws(SandboxError) in
            SandboxStatistics(of: try state.client(clientID), at: now)
        }
    }
}

extension SandboxServer {
    private enum StartEvent: Sendable {
        case listening(port: Int)
        case failed(String)
    }

    private static func cannotListen(_ configuration: SandboxConfiguration, _ reason: String) -> SandboxError {
        SandboxError(
            .cannotListen, "cannot listen on \(configuration.host) port \(configuration.port): \(reason)",
            remedy: "choose another port, or 0 for any free one")
    }

    /// Runs the server until the task is cancelled.
    private static func serve(
        _ sandbox: Sandbox, _ configuration: SandboxConfiguration, onListening: @escaping @Sendable (Int) -> Void
    ) async throws {
        let routes = Routes(sandbox: sandbox).responder()
        let logger = Logger(label: "keyover-sandbox") { _ in SwiftLogNoOpLogHandler() }
        let waiting = WaitingConnections()
        defer { waiting.close() }
        // Hummingbird's Application would set a Date of its own, so the server below it is used directly.
        let server = try HTTPServerBuilder { responder in
            let channel = HTTP1Channel(responder: responder, configuration: .init(idleTimeout: .seconds(300)))
            return AcceptedConnections(base: channel, waiting: waiting)
        }.buildServer(
            configuration: ServerConfiguration(address: .hostname(configuration.host, port: configuration.port)),
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: logger,
            responder: { request, writer, channel in
                let source = ApplicationRequestContextSource(channel: channel, logger: logger)
                var response = try await routes.respond(to: request, context: SandboxContext(source: source))
                response.headers[.date] = sandbox.advertisedTime().httpDate
                try await writer.write(response: response.head, body: response.body)
            },
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? configuration.port) })
        try await server.run()
    }
}

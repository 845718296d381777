import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A server that says exactly the bytes it is told to, on loopback; it keeps what it was sent.
final class RawServer: Sendable {
    /// What happens on a connection once a whole request has come in.
    typealias Script = @Sendable (RawConnection) async throws -> Void

    private struct State {
        var channels: [any Channel] = []
        var requests: [[UInt8]] = []
    }

    private let state = Mutex(State())
    private let listener = Mutex<(any Channel)?>(nil)

    /// How many connections there were.
    var connections: Int { state.withLock { $0.channels.count } }
    /// Each request that came in whole.
    var requests: [[UInt8]] { state.withLock { $0.requests } }
    /// The port it listens on.
    var port: Int { listener.withLock { $0?.localAddress?.port ?? 0 } }
    /// A token URL on it without TLS.
    var url: String { "http://127.0.0.1:\(port)/token" }

    private func start(_ tls: NIOSSLContext?, _ script: @escaping Script) async throws {
        let bootstrap = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                self.state.withLock { $0.channels.append(channel) }
                return channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(RequestCollector(server: self, script: script))
                }
            }
        let channel = try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
        listener.withLock { $0 = channel }
    }

    private func stop() async {
        let all = [listener.withLock { $0 }].compactMap { $0 } + state.withLock { $0.channels }
        for channel in all { try? await channel.close() }
    }

    fileprivate func keep(_ request: [UInt8]) {
        state.withLock { $0.requests.append(request) }
    }

    /// Runs a test with such a server.
    static func run(
        tls: NIOSSLContext? = nil, _ script: @escaping Script, _ body: (RawServer) async throws -> Void
    ) async throws {
        let server = RawServer()
        try await server.start(tls, script)
        do {
            try await body(server)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }
}

/// One connection of a raw server.
struct RawConnection: Sendable {
    private let channel: any Channel
    private let script: RawServer.Script

    fileprivate init(channel: any Channel, script: @escaping RawServer.Script) {
        self.channel = channel
        self.script = script
    }

    /// Sends text as it is.
    func say(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text)).get()
    }

    /// Sends bytes as they are.
    func say(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    /// Sends a well-formed answer with a body, and closes.
    func answer(_ body: String, status: String = "200 OK", headers: [String] = []) async throws {
        let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + headers
        try await say(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
        try await close()
    }

    /// Closes in order.
    func close() async throws {
        try await channel.close()
    }

    /// Cuts the connection: the peer gets a reset.
    func reset() async throws {
        if let options = channel as? any SocketOptionProvider {
            try await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        }
        try await channel.close()
    }

    /// Says the same until the peer hangs up.
    func repeatForever(_ text: String, every pause: Duration? = nil) async throws {
        while true {
            try await say(text)
            if let pause { try await Task.sleep(for: pause) }
        }
    }

    fileprivate func run() async {
        // A script ends with an error when the client hangs up, which is what most scripts are about.
        try? await script(self)
    }
}

/// Waits for a whole request and then runs the script once.
private final class RequestCollector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let server: RawServer
    private let script: RawServer.Script
    private var collected: [UInt8] = []
    private var isDone = false

    init(server: RawServer, script: @escaping RawServer.Script) {
        self.server = server
        self.script = script
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        collected += unwrapInboundIn(data).readableBytesView
        guard !isDone, isWhole else { return }
        isDone = true
        server.keep(collected)
        let connection = RawConnection(channel: context.channel, script: script)
        Task { await connection.run() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private var isWhole: Bool {
        let text = String(decoding: collected, as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return false }
        let length = text[..<end.lowerBound].split(separator: "\r\n").first {
            $0.lowercased().hasPrefix("content-length:")
        }
        let expected = length.flatMap { Int($0.dropFirst(15).drop { $0 == " " }) } ?? 0
        return text[end.upperBound...].utf8.count >= expected
    }
}

import NIOCore
import NIOPosix
import Synchronization

/// A server without TLS on loopback that answers each request as a script says.
final class ScriptedServer: Sendable {
    /// What a request is answered with.
    enum Reply: Sendable {
        /// A well-formed answer with a body.
        case answer(String, status: String = "200 OK", headers: [String] = [])
        /// These bytes, and the end of the connection.
        case raw(String)
        /// This, over and over.
        case forever(String, after: String)
        /// Nothing at all.
        case silence
        /// A reset.
        case reset
    }

    private struct State {
        var listener: (any Channel)?
        var channels: [any Channel] = []
        var paths: [String] = []
    }

    private let state = Mutex(State())
    fileprivate let script: @Sendable (String) -> Reply

    /// The paths that were asked for, in the order of arrival.
    var paths: [String] { state.withLock { $0.paths } }
    /// Its origin.
    var origin: String { "http://127.0.0.1:\(state.withLock { $0.listener?.localAddress?.port ?? 0 })" }

    private init(_ script: @escaping @Sendable (String) -> Reply) { self.script = script }

    /// Runs a test with such a server.
    static func run(
        _ script: @escaping @Sendable (String) -> Reply, _ body: (ScriptedServer) async throws -> Void
    ) async throws {
        let server = ScriptedServer(script)
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                server.state.withLock { $0.channels.append(channel) }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ScriptedConnection(server))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        server.state.withLock { $0.listener = listener }
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(server))
        } catch {
            outcome = .failure(error)
        }
        try? await listener.close()
        for channel in server.state.withLock({ $0.channels }) { try? await channel.close() }
        try outcome.get()
    }

    fileprivate func reply(to path: String) -> Reply {
        state.withLock { $0.paths.append(path) }
        return script(path)
    }
}

/// One connection, which may bring several requests after each other.
private final class ScriptedConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: ScriptedServer
    private var collected = ""

    init(_ server: ScriptedServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        collected += String(buffer: unwrapInboundIn(data))
        guard let end = collected.firstRange(of: "\r\n\r\n") else { return }
        let head = collected[..<end.lowerBound].split(separator: "\r\n")
        let length = head.first { $0.lowercased().hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst(15).drop { $0 == " " }) }
        guard collected[end.upperBound...].utf8.count >= length ?? 0 else { return }
        collected = ""
        let path = head.first?.split(separator: " ").dropFirst().first.map(String.init) ?? ""
        let channel = context.channel
        switch server.reply(to: path) {
        case .answer(let body, let status, let headers):
            let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + headers
            say(lines.joined(separator: "\r\n") + "\r\n\r\n" + body, on: channel)
        case .raw(let text):
            channel.writeAndFlush(ByteBuffer(string: text)).whenComplete { _ in channel.close(promise: nil) }
        case .forever(let text, let start):
            say(start, on: channel)
            channel.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(5)) { task in
                if channel.isActive {
                    channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
                } else {
                    task.cancel()
                }
            }
        case .silence: break
        case .reset: channel.close(promise: nil)
        }
    }

    private func say(_ text: String, on channel: any Channel) {
        channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

import NIOCore
import NIOPosix
import Synchronization

/// A server that answers whatever comes with the same bytes, and closes; it keeps what came.
final class CannedServer: Sendable {
    private let received = Mutex<[String]>([])
    private let listener = Mutex<(any Channel)?>(nil)

    /// What came in on each connection, empty where nothing did.
    var requests: [String] { received.withLock { $0 } }
    /// A base URL on it.
    var baseURL: String { "http://127.0.0.1:\(listener.withLock { $0?.localAddress?.port ?? 0 })" }

    /// Runs a test with such a server.
    static func run(_ answer: String, _ body: (CannedServer) async throws -> Void) async throws {
        let server = CannedServer()
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answering(server: server, answer: answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        server.listener.withLock { $0 = channel }
        do {
            try await body(server)
        } catch {
            try await channel.close()
            throw error
        }
        try await channel.close()
    }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let server: CannedServer
        private let answer: String
        private let index: Int

        init(server: CannedServer, answer: String) {
            self.server = server
            self.answer = answer
            index = server.received.withLock {
                $0.append("")
                return $0.count - 1
            }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: unwrapInboundIn(data))
            let all = server.received.withLock {
                $0[index] += text
                return $0[index]
            }
            // The adapter's bodies are JSON objects, so a request is whole when it ends like one or has none.
            let hasBody = all.lowercased().contains("content-type: application/json")
            guard all.hasSuffix(hasBody ? "}" : "\r\n\r\n") else { return }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
            context.close(promise: nil)
        }
    }
}

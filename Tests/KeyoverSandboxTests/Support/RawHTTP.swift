import NIOCore
import NIOPosix

/// One answer, taken apart only as far as tests need it.
struct RawAnswer: Sendable {
    let status: Int
    let headers: [(name: String, value: String)]
    let body: String

    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// Sends exactly these bytes over a connection of its own, so that tests can say what no HTTP library would.
enum RawHTTP {
    struct NoAnswer: Error {}

    static func send(_ request: String, toPort port: Int, host: String = "127.0.0.1") async throws -> RawAnswer {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: request))
            var received = ByteBuffer()
            for try await chunk in inbound {
                received.writeImmutableBuffer(chunk)
            }
            return try parse(String(buffer: received))
        }
    }

    /// Sends a request and leaves the connection open, whatever comes back.
    static func sendAndStay(_ request: String, toPort port: Int) async throws -> any Channel {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port).get()
        if !request.isEmpty { try await channel.writeAndFlush(ByteBuffer(string: request)) }
        return channel
    }

    private static func parse(_ text: String) throws -> RawAnswer {
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        let lines = parts[0].split(separator: "\r\n")
        guard parts.count == 2, let first = lines.first, let status = Int(first.split(separator: " ")[1]) else {
            throw NoAnswer()
        }
        let headers = lines.dropFirst().map { line in
            let halves = line.split(separator: ":", maxSplits: 1)
            return (name: String(halves[0]), value: halves.count > 1 ? String(halves[1].drop { $0 == " " }) : "")
        }
        return RawAnswer(status: status, headers: headers, body: String(parts[1]))
    }
}

import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes
import Synchronization

/// HTTP/1.1 connections that survive being accepted while the server stops.
///
/// NIO ends the process when a connection that it has accepted is dropped unserved, and the server drops those that
/// arrive in the moment it stops. So each one is held here from its set-up until its turn, and closed here if its turn
/// never comes.
struct AcceptedConnections: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    let base: HTTP1Channel
    let waiting: WaitingConnections

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        base.setup(channel: channel, logger: logger).map { connection in
            waiting.add(connection)
            return connection
        }
    }

    func handle(value: Value, logger: Logger) async {
        waiting.remove(value)
        await base.handle(value: value, logger: logger)
    }
}

/// The connections that are set up and not yet served.
final class WaitingConnections: Sendable {
    private struct State {
        var connections: [ObjectIdentifier: HTTP1Channel.Value] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())

    func add(_ connection: HTTP1Channel.Value) {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.connections[ObjectIdentifier(connection.channel)] = connection }
            return state.isClosed
        }
        if isClosed { Self.close(connection) }
    }

    func remove(_ connection: HTTP1Channel.Value) {
        state.withLock { state in
            _ = state.connections.removeValue(forKey: ObjectIdentifier(connection.channel))
        }
    }

    /// Closes those that wait and those that are still to come.
    func close() {
        let left = state.withLock { state in
            state.isClosed = true
            defer { state.connections = [:] }
            return Array(state.connections.values)
        }
        left.forEach(Self.close)
    }

    private static func close(_ connection: HTTP1Channel.Value) {
        Task { try await connection.executeThenClose { _, _ in } }
    }
}

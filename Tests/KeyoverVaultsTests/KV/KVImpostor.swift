import Foundation
import Synchronization

/// A server on loopback that says what a test wants, bytes and all, to each request; without TLS.
final class KVImpostor: Sendable {
    /// What is said to a request of a method and path; `nil` says nothing, and keeps the connection open.
    typealias Script = @Sendable (_ line: String, _ head: String) -> [UInt8]?

    private let listener: Int32
    private let heads = Mutex<[String]>([])
    private let open = Mutex<[Int32]>([])
    /// Where it listens.
    let port: Int

    /// The heads of the requests so far.
    var requests: [String] { heads.withLock { $0 } }

    init(_ script: @escaping Script) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, $0, &size) == 0
            }
        }
        guard isBound else { throw CocoaError(.fileNoSuchFile) }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                open.withLock { $0.append(connection) }
                Thread.detachNewThread { [self] in serve(connection, script) }
            }
        }
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        for connection in open.withLock({ $0 }) { shutdown(connection, Int32(SHUT_RDWR)) }
    }

    /// A complete answer with a body of JSON.
    static func answer(_ status: Int, _ body: String, head: String = "") -> [UInt8] {
        Array(
            "HTTP/1.1 \(status) X\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\(head)\r\n\(body)"
                .utf8)
    }

    private func serve(_ connection: Int32, _ script: Script) {
        defer { close(connection) }
        var received: [UInt8] = []
        while let head = take(from: connection, &received) {
            heads.withLock { $0.append(head) }
            guard let said = script(head.components(separatedBy: " HTTP/").first ?? "", head) else {
                continue
            }
            guard send(connection, said, said.count, Int32(MSG_NOSIGNAL)) == said.count else {
                return
            }
            // An answer without a length ends with its connection.
            if !String(decoding: said.prefix(500), as: UTF8.self).contains("Content-Length") { return }
        }
    }

    /// The head of the next request, whose body is thrown away; `nil` at the end of the connection.
    private func take(from connection: Int32, _ received: inout [UInt8]) -> String? {
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            if let end = Data(received).range(of: Data("\r\n\r\n".utf8)) {
                let head = String(decoding: received[..<end.upperBound], as: UTF8.self)
                let length =
                    head.lowercased().components(separatedBy: "content-length: ").dropFirst().first
                    .flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
                if received.count >= end.upperBound + length {
                    received.removeFirst(end.upperBound + length)
                    return head
                }
            }
            let count = recv(connection, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            received += chunk[..<count]
        }
    }
}

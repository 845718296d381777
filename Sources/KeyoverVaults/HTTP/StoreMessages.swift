import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// One HTTP request to a store's server.
struct StoreRequest: Sendable {
    /// The method, such as `POST`.
    var method: String
    /// Path and query, percent-encoded, beginning with a slash; the path of the server's URL is not put before it.
    var target: String
    /// Fields besides those that the transport sets.
    var headers: [(name: String, value: String)] = []
    /// The body, which may hold a secret.
    var body: [UInt8]?
    /// The longest answer that is taken, or the longest line of a stream, in bytes.
    var answerLimit = 1 << 20

    func made(for server: ServerURL, _ progress: SendingProgress) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: server.origin + target)
        request.method = HTTPMethod(rawValue: method)
        request.headers = HTTPHeaders(headers.map { ($0.name, $0.value) })
        request.headers.replaceOrAdd(name: "User-Agent", value: "keyover")
        guard let body, !body.isEmpty else {
            progress.begin()
            return request
        }
        request.body = .stream(Body(bytes: body, progress: progress), length: .known(Int64(body.count)))
        return request
    }

    /// The body in one piece, which a connection asks for once it stands.
    private struct Body: AsyncSequence, Sendable {
        let bytes: [UInt8]
        let progress: SendingProgress

        struct AsyncIterator: AsyncIteratorProtocol {
            var bytes: [UInt8]?
            let progress: SendingProgress

            mutating func next() async throws -> ByteBuffer? {
                progress.begin()
                defer { bytes = nil }
                return bytes.map { ByteBuffer(bytes: $0) }
            }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(bytes: bytes, progress: progress) }
    }
}

/// A complete answer within the limit.
struct StoreAnswer: Sendable {
    /// The status code.
    let status: Int
    /// The first value of each field, by its name in lower case.
    let headers: [String: String]
    /// The whole body.
    let body: [UInt8]

    init(_ response: HTTPClientResponse, _ body: [UInt8]) {
        status = Int(response.status.code)
        headers = Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
        self.body = body
    }
}

/// An answer that comes line by line for as long as the connection lasts.
struct StoreStream: Sendable {
    /// The status code.
    let status: Int
    private let body: HTTPClientResponse.Body
    private let server: ServerURL
    private let lineLimit: Int

    init(_ response: HTTPClientResponse, _ server: ServerURL, lineLimit: Int) {
        status = Int(response.status.code)
        body = response.body
        self.server = server
        self.lineLimit = lineLimit
    }

    /// Hands on each line; returns when the server ends the answer.
    func forEachLine(_ use: ([UInt8]) async throws -> Void) async throws {
        var line: [UInt8] = []
        do {
            for try await chunk in body {
                for part in Lines(chunk.readableBytesView) {
                    guard line.count + part.bytes.count <= lineLimit else {
                        throw StoreFailure.Found(.tooLarge, "a line of its answer is longer than \(lineLimit) bytes")
                    }
                    line += part.bytes
                    guard part.isEnded else { continue }
                    if !line.isEmpty { try await Self.hand(line, to: use) }
                    line = []
                }
            }
            try Task.checkCancellation()
        } catch let refusal as Refusal {
            throw refusal.error
        } catch {
            throw StoreFailure(error, mayHaveArrived: true, server)
        }
    }

    /// What the user of a line threw, told from what the connection did.
    private struct Refusal: Error {
        let error: any Error
    }

    private static func hand(_ line: [UInt8], to use: ([UInt8]) async throws -> Void) async throws {
        do {
            try await use(line)
        } catch {
            throw Refusal(error: error)
        }
    }
}

/// The pieces of a chunk between its line ends.
private struct Lines: Sequence, IteratorProtocol {
    private var rest: ByteBufferView

    init(_ chunk: ByteBufferView) { rest = chunk }

    mutating func next() -> (bytes: ByteBufferView, isEnded: Bool)? {
        guard !rest.isEmpty else { return nil }
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
            defer { rest = rest[rest.endIndex...] }
            return (rest, false)
        }
        defer { rest = rest[(end + 1)...] }
        return (rest[..<end], true)
    }
}

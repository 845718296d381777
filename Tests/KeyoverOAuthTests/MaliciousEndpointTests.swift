import Foundation
import KeyoverCore
import NIOSSL
import Testing

@testable import KeyoverOAuth

/// One way in which a token endpoint can be malicious, and what has to come of it.
struct MaliciousEndpoint: Sendable, CustomTestStringConvertible {
    /// Where the client is sent.
    enum Place: Sendable {
        /// A URL that is refused before anything is sent; `PORT` stands for that of a server that must not be called.
        case url(String)
        /// A server on loopback that does this with a request.
        case server(RawServer.Script)
        /// A TLS server on loopback whose certificate is made like this.
        case tls(names: String, days: Int, signedByAuthority: Bool)
    }

    let name: String
    let place: Place
    /// A telling piece of the message; empty where the transport may notice one thing or another first.
    let says: String
    /// Whether the same call may succeed later by itself.
    var isPassing = false
    /// The time that the call is given.
    var total = TimeSpan.seconds(30)

    var testDescription: String { name }

    /// A server that answers with these bytes and keeps the connection open for a moment.
    private static func saying(_ text: String) -> Place {
        .server { connection in
            try await connection.say(text)
            try await connection.close()
        }
    }

    private static func answering(_ body: String, _ headers: [String] = []) -> Place {
        .server { try await $0.answer(body, headers: headers) }
    }

    /// A server that begins like this and goes on with the same for ever.
    private static func endless(_ beginning: String, _ rest: String, every pause: Duration? = nil) -> Place {
        .server { connection in
            try await connection.say(beginning)
            try await connection.repeatForever(rest, every: pause)
        }
    }

    private static let ok = "HTTP/1.1 200 OK\r\n"
    private static let deep = String(repeating: #"{"a":["#, count: 5000)

    static let all = [
        Self(
            name: "a redirect to another host",
            place: .server { try await $0.answer("", status: "307 Go", headers: ["Location: https://evil.example/x"]) },
            says: "leads to https://evil.example, which is not followed"),
        Self(
            name: "a body of 100 MB",
            place: endless(ok + "Content-Length: 104857600\r\n\r\n", String(repeating: " ", count: 1 << 20)),
            says: "longer than 65536 bytes"),
        Self(
            name: "a body without an end",
            place: endless(
                ok + "Transfer-Encoding: chunked\r\n\r\n", "400\r\n" + String(repeating: "x", count: 1024) + "\r\n"),
            says: "longer than 65536 bytes"),
        Self(
            name: "a body that drips",
            place: endless(ok + "Content-Length: 60000\r\n\r\n", " ", every: .milliseconds(20)),
            says: "no complete answer within", isPassing: true, total: .milliseconds(500)),
        Self(
            name: "deep JSON", place: answering(#"{"access_token":"t","token_type":"Bearer","x":"# + deep),
            says: "not a JSON object within bounds"),
        Self(
            name: "another content type",
            place: answering("<html><body>Sign in</body></html>", ["Content-Type: text/html"]),
            says: "not a JSON object within bounds"),
        Self(name: "http", place: .url("http://login.example:PORT/token"), says: "plain http"),
        Self(
            name: "user information", place: .url("https://u:hunter2hunter2@127.0.0.1:PORT/token"),
            says: "user information"),
        Self(name: "a link-local address", place: .url("https://169.254.169.254/token"), says: "a link-local address"),
        Self(
            name: "a link-local address of version 6", place: .url("https://[fe80::1]/token"),
            says: "a link-local address"),
        Self(
            name: "a link-local address in one of version 6", place: .url("https://[::ffff:169.254.169.254]/token"),
            says: "a link-local address"),
        Self(name: "a link-local address as a number", place: .url("https://2852039166/token"), says: "no valid host"),
        Self(
            name: "an expired certificate", place: .tls(names: "IP:127.0.0.1", days: -1, signedByAuthority: true),
            says: "or it has expired"),
        Self(
            name: "a certificate for another host",
            place: .tls(names: "DNS:other.example", days: 2, signedByAuthority: true), says: "is for another host"),
        Self(
            name: "a self-signed certificate",
            place: .tls(names: "IP:127.0.0.1", days: 2, signedByAuthority: false), says: "no trusted authority"),
        Self(
            name: "a header field without an end",
            place: endless(ok + "X-Bomb: ", String(repeating: "x", count: 8192)), says: "the answer is not valid HTTP"),
        Self(
            name: "header fields without an end", place: endless(ok, "X-Bomb: x\r\n"),
            says: "the answer is not valid HTTP"),
        Self(
            name: "interim answers without an end",
            place: endless("", "HTTP/1.1 103 Early Hints\r\n\r\n", every: .milliseconds(5)), says: "",
            total: .milliseconds(500)),
        Self(
            name: "silence", place: .server { _ in }, says: "no complete answer within", isPassing: true,
            total: .milliseconds(500)),
        Self(
            name: "two lengths", place: saying(ok + "Content-Length: 2\r\nContent-Length: 60\r\n\r\n{}"),
            says: "the answer is not valid HTTP"),
        Self(
            name: "a length and chunks",
            place: saying(ok + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"), says: ""),
        Self(
            name: "an end before the end", place: saying(ok + "Content-Length: 100\r\n\r\n{\"access_token\":"),
            says: "cut short", isPassing: true),
        Self(
            name: "bytes that are no text",
            place: .server { connection in
                let text = Array(#"{"access_token":""#.utf8) + [0xFF, 0xC0, 0x80] + Array(#"","token_type":"b"}"#.utf8)
                try await connection.say(ok + "Content-Length: \(text.count)\r\n\r\n")
                try await connection.say(text)
                try await connection.close()
            }, says: "the answer"),
        Self(
            name: "a token that ends a header",
            place: answering(#"{"access_token":"t\r\nX: y","token_type":"Bearer"}"#),
            says: "characters that none may have"),
        Self(
            name: "members twice",
            place: answering(#"{"access_token":7,"access_token":"\u0000","token_type":"Bearer"}"#),
            says: "the answer is no token"),
        Self(
            name: "compressed zeros",
            place: .server { connection in
                // The beginning of a stream that unpacks to a gigabyte; unpacked by nobody, for it was not asked for.
                try await connection.say(ok + "Content-Encoding: gzip\r\nContent-Length: 10\r\n\r\n")
                try await connection.say([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 0xFF])
                try await connection.close()
            }, says: "not a JSON object within bounds"),
    ]
}

@Suite struct MaliciousEndpointTests {
    /// How long the slowest of them may take on a machine that has other things to do.
    private static let bound = Duration.seconds(45)

    @Test(arguments: MaliciousEndpoint.all)
    func aMaliciousEndpointIsABoundedAndClearError(_ endpoint: MaliciousEndpoint) async throws {
        let folder = try CertificateFolder()
        defer { folder.remove() }
        var tls: NIOSSLContext?
        if case .tls(let names, let days, let signedByAuthority) = endpoint.place {
            tls = try folder.server(names: names, days: days, signedByAuthority: signedByAuthority)
        }
        var script: RawServer.Script = { try await $0.answer("{}") }
        if case .server(let chosen) = endpoint.place { script = chosen }
        try await RawServer.run(tls: tls, script) { server in
            let mayBeCalled: Bool
            let url: String
            switch endpoint.place {
            case .url(let text): (mayBeCalled, url) = (false, text.replacing("PORT", with: "\(server.port)"))
            case .server: (mayBeCalled, url) = (true, server.url)
            case .tls: (mayBeCalled, url) = (false, "https://127.0.0.1:\(server.port)/token")
            }
            let error = try await exchange(url, endpoint.total, authority: folder.authority)
            #expect(error.failure == (endpoint.isPassing ? .transient : .unknown) || endpoint.says.isEmpty, "\(error)")
            #expect(endpoint.says.isEmpty || error.message.contains(endpoint.says), "\(error.message)")
            #expect(
                server.requests.count == (mayBeCalled ? 1 : 0), "the secret was sent \(server.requests.count) times")
            if case .url = endpoint.place {
                #expect(error.message.contains("the token URL is refused"))
            } else {
                #expect(error.message.contains("127.0.0.1:\(server.port)"), "\(error.message)")
            }
        }
    }

    /// What an exchange ends in, which must be an error that is short, in time, and shows nothing of the secret.
    private func exchange(_ url: String, _ total: TimeSpan, authority: String) async throws -> ExchangeError {
        let limits = HTTPLimits(bodyBytes: 64 << 10, jsonDepth: 16, total: total)
        let http = try BoundedHTTP(caFile: authority)
        let exchanger = TokenExchanger(http: http, allowsLoopbackHTTP: true, limits: limits)
        let request = ExchangeRequest(
            tokenURL: url, clientID: "billing", secret: canary, authentication: .basic, scopes: [])
        let clock = ContinuousClock()
        let began = clock.now
        let error = try await #require(throws: ExchangeError.self) { _ = try await exchanger.exchange(request) }
        #expect(clock.now - began < Self.bound)
        expectHidden(canary, in: error)
        expectHidden(SecretValue("hunter2hunter2"), in: error)
        #expect(error.message.hasPrefix("token exchange of client billing"))
        #expect(error.message.count < 400)
        #expect(error.remedy?.isEmpty == false, "nothing says what to do about: \(error.message)")
        return error
    }

    @Test func nothingIsUnpackedBecauseNothingPackedIsAskedFor() async throws {
        try await RawServer.run {
            try await $0.answer(#"{"access_token":"t","token_type":"Bearer"}"#)
        } _: { server in
            let exchanger = TokenExchanger(http: try BoundedHTTP(), allowsLoopbackHTTP: true)
            let request = ExchangeRequest(
                tokenURL: server.url, clientID: "billing", secret: canary, authentication: .post, scopes: [])
            _ = try await exchanger.exchange(request)
            let sent = String(decoding: try #require(server.requests.first), as: UTF8.self).lowercased()
            #expect(!sent.contains("accept-encoding"))
        }
    }
}

import FoundationEssentials
import KeyoverCore
import Synchronization
import Testing

@testable import KeyoverOAuth

/// Token endpoints that misbehave, spoken byte by byte.
@Suite struct HostileServerTests {
    private static let good = #"{"access_token":"t-1","token_type":"Bearer","expires_in":60}"#
    private static let limits = HTTPLimits(bodyBytes: 64 << 10, jsonDepth: 16, total: .seconds(30))

    /// A token where none was to be had.
    private struct Unexpected: Error {}

    /// One exchange with the server; the error, when there is one, is checked to show nothing of the secret.
    private func outcome(
        _ server: RawServer, limits: HTTPLimits = limits, secret: SecretValue = canary,
        _ authentication: ClientAuthentication = .basic
    ) async throws -> Result<TokenGrant, ExchangeError> {
        let exchanger = TokenExchanger(http: try BoundedHTTP(), allowsLoopbackHTTP: true, limits: limits)
        let request = ExchangeRequest(
            tokenURL: server.url, clientID: "billing", secret: secret, authentication: authentication, scopes: [])
        do {
            return .success(try await exchanger.exchange(request))
        } catch {
            expectHidden(secret, in: error)
            return .failure(error)
        }
    }

    private func failure(
        limits: HTTPLimits = limits, _ script: @escaping RawServer.Script
    ) async throws -> ExchangeError {
        let found = Mutex<ExchangeError?>(nil)
        try await RawServer.run(script) { server in
            guard case .failure(let error) = try await outcome(server, limits: limits) else { return }
            found.withLock { $0 = error }
            #expect(server.connections <= 1, "something was sent again")
        }
        return try #require(found.withLock { $0 }, "the exchange succeeded")
    }

    @Test func eachExchangeHasAConnectionOfItsOwnAndAsksToCloseIt() async throws {
        try await RawServer.run {
            try await $0.answer(Self.good, headers: ["Connection: keep-alive"])
        } _: { server in
            for _ in 1...3 { _ = try await outcome(server).get() }
            #expect(server.connections == 3)
            for request in server.requests {
                let text = String(decoding: request, as: UTF8.self)
                #expect(text.hasPrefix("POST /token HTTP/1.1\r\n"))
                #expect(text.lowercased().contains("connection: close\r\n"))
            }
        }
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func aRedirectIsNotFollowedAndOnlyItsOriginIsTold(status: Int) async throws {
        try await RawServer.run {
            try await $0.answer(Self.good)
        } _: { target in
            let location = "Location: http://127.0.0.1:\(target.port)/stolen?path=hidden"
            let error = try await failure { try await $0.answer("", status: "\(status) Moved", headers: [location]) }
            #expect(error.answer == AnswerShape(status: status, error: nil))
            #expect(error.message.contains("http://127.0.0.1:\(target.port),"))
            #expect(!error.message.contains("hidden"))
            #expect(target.connections == 0)
        }
    }

    @Test func aRedirectToAHostMadeOfTheSecretIsNotTold() async throws {
        let secret = SecretValue("only-letters-and-hyphens")
        try await RawServer.run { connection in
            try await connection.answer("", status: "302 Found", headers: ["Location: https://\(secret.text).example/"])
        } _: { server in
            let result = try await outcome(server, secret: secret)
            guard case .failure(let error) = result else { throw Unexpected() }
            #expect(error.message.contains("(withheld)"))
        }
    }

    @Test func anAnnouncedHundredMegabytesAreRefused() async throws {
        let error = try await failure { connection in
            try await connection.say("HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
            try await connection.repeatForever(String(repeating: " ", count: 1 << 20))
        }
        #expect(error.message.contains("longer than 65536 bytes"))
        #expect(error.failure == .unknown)
    }

    @Test func anEndlessChunkedBodyIsRefused() async throws {
        let error = try await failure { connection in
            try await connection.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            try await connection.repeatForever("400\r\n" + String(repeating: "x", count: 1024) + "\r\n")
        }
        #expect(error.message.contains("longer than 65536 bytes"))
    }

    @Test func aDrippingBodyEndsAtTheDeadline() async throws {
        let limits = HTTPLimits(bodyBytes: 64 << 10, jsonDepth: 16, total: .milliseconds(400))
        let clock = ContinuousClock()
        let began = clock.now
        let error = try await failure(limits: limits) { connection in
            try await connection.say("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
            try await connection.repeatForever(" ", every: .milliseconds(20))
        }
        #expect(error.failure == .transient)
        #expect(clock.now - began < .seconds(60))
    }

    @Test func silenceAndEndlessInterimAnswersEndAtTheDeadline() async throws {
        let limits = HTTPLimits(bodyBytes: 64 << 10, jsonDepth: 16, total: .milliseconds(300))
        let silent = try await failure(limits: limits) { _ in }
        #expect(silent.failure == .transient)
        let interim = try await failure(limits: limits) { connection in
            try await connection.repeatForever("HTTP/1.1 102 Processing\r\n\r\n", every: .milliseconds(5))
        }
        #expect(interim.answer == nil)
    }

    @Test func aCutConnectionIsTransientAndNotTriedAgain() async throws {
        let reset = try await failure { try await $0.reset() }
        #expect(reset.failure == .transient)
        let closed = try await failure { try await $0.close() }
        #expect(closed.failure == .transient)
        let short = try await failure { connection in
            try await connection.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + Self.good)
            try await connection.close()
        }
        #expect(short.failure == .transient)
        #expect(short.answer == nil)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n{}", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 60\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "\u{0}\u{0}\u{0}\u{0}\r\n\r\n",
    ])
    func whatIsNotHTTPIsRefused(bytes: String) async throws {
        let error = try await failure { connection in
            try await connection.say(bytes)
            try await Task.sleep(for: .milliseconds(50))
            try await connection.close()
        }
        #expect(error.answer == nil, "\(error)")
    }

    @Test func aHeaderBombIsRefused() async throws {
        let endless = try await failure { connection in
            try await connection.say("HTTP/1.1 200 OK\r\nX-Bomb: ")
            try await connection.repeatForever(String(repeating: "x", count: 8192))
        }
        #expect(endless.answer == nil)
        let many = try await failure { connection in
            try await connection.say("HTTP/1.1 200 OK\r\n")
            try await connection.repeatForever("X-Bomb: x\r\n")
        }
        #expect(many.answer == nil)
    }

    @Test func deepNestingIsRefusedBeforeItIsDecoded() async throws {
        for depth in [16, 30_000] {
            let nested = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            let body = #"{"access_token":"t","token_type":"Bearer","x":"# + nested + "}"
            let error = try await failure { try await $0.answer(body) }
            #expect(error.message.contains("not a JSON object within bounds"))
        }
    }

    @Test(arguments: ["", "null", "[]", "\"token\"", "<html>", "{", "{\"access_token\":", "{} {}", "\u{FEFF}{}"])
    func whatIsNoJSONObjectIsRefused(body: String) async throws {
        let error = try await failure { try await $0.answer(body) }
        #expect(error.failure == .unknown)
        #expect(error.answer == AnswerShape(status: 200, error: nil))
    }

    @Test func aWrongContentTypeIsTolerated() async throws {
        try await RawServer.run {
            try await $0.answer(Self.good, headers: ["Content-Type: text/html"])
        } _: { server in
            let grant = try await outcome(server).get()
            #expect(grant.expiresIn == .seconds(60))
        }
    }

    @Test func aNoWithStatus200IsReadAsANo() async throws {
        let error = try await failure { try await $0.answer(#"{"error":"invalid_client"}"#) }
        #expect(error.failure == .credentialRejected)
        #expect(error.answer == AnswerShape(status: 200, error: "invalid_client"))
    }

    @Test func aServerThatRepeatsTheSecretInAnyFormIsNotQuoted() async throws {
        let form = String(decoding: PercentEncoding.form(canary.text.utf8), as: UTF8.self)
        for authentication in ClientAuthentication.allCases {
            for echo in [canary.text, form, "x" + canary.text.dropFirst(3).dropLast(3) + "y"] {
                let quoted = echo.map { $0 == "\"" ? "\\\"" : String($0) }.joined()
                let body = #"{"error":"invalid_client","error_description":"no such secret: \#(quoted)"}"#
                try await RawServer.run {
                    try await $0.answer(body, status: "401 No")
                } _: { server in
                    let result = try await outcome(server, authentication)
                    guard case .failure(let error) = result else { throw Unexpected() }
                    #expect(error.answer == AnswerShape(status: 401, error: "invalid_client"))
                    #expect(error.message.contains("(withheld)"))
                }
            }
        }
    }

    @Test func aServerThatRepeatsTheAuthorizationHeaderIsNotQuoted() async throws {
        let header = Mutex("")
        try await RawServer.run {
            try await $0.answer(Self.good)
        } _: { server in
            _ = try await outcome(server).get()
            let request = String(decoding: try #require(server.requests.first), as: UTF8.self)
            let line = request.split(separator: "\r\n").first { $0.hasPrefix("Authorization: Basic ") }
            header.withLock { $0 = String(line?.dropFirst(21) ?? "") }
        }
        let echo = header.withLock { $0 }
        #expect(echo.utf8.count > 20)
        let error = try await failure { try await $0.answer(#"{"error":"\#(echo)"}"#, status: "401 No") }
        #expect(error.answer == AnswerShape(status: 401, error: "(withheld)"))
        #expect(!error.message.contains(echo.prefix(16)))
    }

    @Test func aCancelledExchangeEndsAtOnceAndMayHaveArrived() async throws {
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        try await RawServer.run { _ in
            arrived.yield()
        } _: { server in
            let exchanger = TokenExchanger(http: try BoundedHTTP(), allowsLoopbackHTTP: true)
            let request = ExchangeRequest(
                tokenURL: server.url, clientID: "billing", secret: canary, authentication: .basic, scopes: [])
            let task = Task { try await exchanger.exchange(request) }
            for await _ in arrivals { break }
            task.cancel()
            let result = await task.result
            let error = #expect(throws: ExchangeError.self) { _ = try result.get() }
            let failure = try #require(error?.underlying as? HTTPFailure)
            #expect(failure.cause == .cancelled)
            #expect(failure.mayHaveArrived)
        }
    }

    @Test(arguments: ClientAuthentication.allCases)
    func everyByteOfASecretArrives(authentication: ClientAuthentication) async throws {
        let bytes = Array(UInt8.min...UInt8.max)
        try await RawServer.run {
            try await $0.answer(Self.good)
        } _: { server in
            _ = try await outcome(server, secret: SecretValue(copying: bytes), authentication).get()
            let request = String(decoding: try #require(server.requests.first), as: UTF8.self)
            let field = authentication == .basic ? "Authorization: Basic " : "client_secret="
            let start = try #require(request.firstRange(of: field)).upperBound
            var sent = Array(request[start...].prefix { $0 != "\r\n" && $0 != "&" }.utf8)
            if authentication == .basic {
                let pair = Array(try #require(Data(base64Encoded: String(decoding: sent, as: UTF8.self))))
                #expect(pair.starts(with: "billing:".utf8))
                sent = Array(pair.dropFirst(8))
            }
            #expect(percentDecoded(sent) == bytes)
        }
    }

    /// Undoes percent-encoding, independently of the code under test.
    private func percentDecoded(_ text: [UInt8]) -> [UInt8] {
        var rest = text[...]
        var result: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                result.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
                rest = rest.dropFirst(2)
            } else {
                result.append(byte)
            }
        }
        return result
    }

    @Test func controlCharactersAndLengthOfServerTextAreTamed() async throws {
        let noise = #"\u001b[31mred\u0007\r\nerror: forged\u202e"# + String(repeating: "long ", count: 500)
        let error = try await failure {
            try await $0.answer(#"{"error":"odd","error_description":"\#(noise)"}"#, status: "400 No")
        }
        #expect(error.message.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
        #expect(!error.message.unicodeScalars.contains("\u{202E}"))
        #expect(error.message.count < 400)
    }
}

import KeyoverCore
import Testing

@testable import KeyoverOAuth

/// What counts as a token.
@Suite struct TokenAnswerTests {
    private func grant(_ members: String) async throws -> TokenGrant {
        var result: Result<TokenGrant, any Error>?
        try await RawServer.run { connection in
            try await connection.answer("{\(members)}", headers: ["Date: Sun, 06 Nov 1994 08:49:37 GMT"])
        } _: { server in
            let exchanger = TokenExchanger(http: try BoundedHTTP(), allowsLoopbackHTTP: true)
            let request = ExchangeRequest(
                tokenURL: server.url, clientID: "billing", secret: canary, authentication: .post, scopes: [])
            result = await Result { try await exchanger.exchange(request) }
        }
        return try #require(result).get()
    }

    private static let token = #""access_token":"t-1","token_type":"bearer""#

    @Test(arguments: [
        ("", TimeSpan?.none), (#","expires_in":null"#, nil), (#","expires_in":3600"#, .seconds(3600)),
        (#","expires_in":"3600""#, .seconds(3600)), (#","expires_in":0"#, .zero),
        (#","expires_in":1.5"#, .milliseconds(1500)),
        (#","expires_in":3e3"#, .seconds(3000)), (#","expires_in":99999999999999999999"#, .days(3650)),
    ])
    func aLifetimeIsTolerated(member: String, expected: TimeSpan?) async throws {
        let grant = try await grant(Self.token + member)
        #expect(grant.expiresIn == expected)
        #expect(grant.accessToken.text == "t-1")
        #expect(grant.tokenType == "bearer")
        #expect(grant.serverDate == Timestamp(millisecondsSinceEpoch: 784_111_777_000))
    }

    @Test(arguments: [
        #","expires_in":-1"#, #","expires_in":"-1""#, #","expires_in":"soon""#, #","expires_in":"nan""#,
        #","expires_in":[3600]"#, #","expires_in":true"#, #","expires_in":"inf""#, #","expires_in":"""#,
    ])
    func anAbsurdLifetimeIsRefused(member: String) async {
        await #expect(throws: ExchangeError.self) { try await grant(Self.token + member) }
    }

    @Test(arguments: [
        ("", [String]?.none), (#","scope":null"#, nil), (#","scope":"""#, []), (#","scope":"a  b""#, ["a", "b"]),
        (#","x":{"y":[1,"]}"]}"#, nil),
    ])
    func aScopeIsTolerated(member: String, expected: [String]?) async throws {
        #expect(try await grant(Self.token + member).scopes == expected)
    }

    @Test(arguments: [
        #""token_type":"Bearer""#, #""access_token":"t""#, #""access_token":"","token_type":"Bearer""#,
        #""access_token":7,"token_type":"Bearer""#, #""access_token":"a\r\nb","token_type":"Bearer""#,
        #""access_token":"tökn","token_type":"Bearer""#, #""access_token":"a b","token_type":"Bearer""#,
        #""access_token":"t","token_type":"Bea\u0000rer""#, #""access_token":"t","token_type":"Bearer","scope":["a"]"#,
    ])
    func whatIsNoTokenIsRefused(members: String) async {
        let error = await #expect(throws: ExchangeError.self) { try await grant(members) }
        #expect(error?.failure == .unknown)
        #expect(error?.answer == AnswerShape(status: 200, error: nil))
    }
}

extension Result where Failure == any Error {
    /// The outcome of work that waits.
    fileprivate init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}

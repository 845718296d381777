import KeyoverConformance
import KeyoverCore
import KeyoverOAuth
import KeyoverSandbox
import Synchronization
import Testing

@testable import KeyoverProviders

/// What the sandbox adapter says of calls that go wrong: above all, whether they may have been carried out.
@Suite struct SandboxProviderTests {
    private static let token = "admin-token-canary-0123456789"

    private func provider(_ baseURL: String) throws -> SandboxProvider {
        let tenant = try tenantRecord(provider: "sandbox", baseURL: baseURL, credential: Self.token)
        return try #require(try ProviderRegistry.make(tenant: tenant, http: try BoundedHTTP()) as? SandboxProvider)
    }

    private func client(_ clientID: String = "billing") throws -> ClientReference {
        ClientReference(name: try #require(ClientName("billing-sync")), clientID: clientID)
    }

    private static func answer(_ status: String, _ body: String = "", _ headers: String...) -> String {
        let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + headers
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    /// An answer, and what an addition that got it is to be taken for.
    private static let table: [(String, FailureClass, ProviderError.Effect)] = [
        (answer("400 No"), .unknown, .none),
        (answer("400 No", #"{"error":"quota_exceeded"}"#), .quotaFull, .none),
        (answer("409 No", #"{"error":"quota_exceeded"}"#), .quotaFull, .none),
        (answer("409 No", #"{"error":"last_secret"}"#), .lastSecret, .none),
        (answer("401 No"), .credentialRejected, .none), (answer("403 No"), .scopeInsufficient, .none),
        (answer("404 No", #"{"error":"client_not_found"}"#), .notFound, .none),
        (answer("429 No", "", "Retry-After: 3"), .rateLimited(retryAfter: .seconds(3)), .none),
        (answer("429 No"), .rateLimited(retryAfter: nil), .none),
        (answer("503 No"), .transient, .unknown),
        (answer("503 No", "", "Retry-After: 3"), .rateLimited(retryAfter: .seconds(3)), .unknown),
        (answer("500 No", #"{"error":"quota_exceeded"}"#), .transient, .unknown),
        (answer("302 Found", "", "Location: https://other.example/"), .unknown, .unknown),
        (answer("201 Created", "not json"), .unknown, .unknown), (answer("201 Created"), .unknown, .unknown),
        (answer("201 Created", #"{"id":"s","status":"ACTIVE"}"#), .unknown, .unknown),
        (answer("201 Created", #"{"id":"s","status":"ACTIVE","secret":""}"#), .unknown, .unknown),
        ("HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{\"id\":", .transient, .unknown),
        ("HTTP/1.1 400 No\r\nContent-Length: 500\r\n\r\n{", .transient, .unknown),
        ("", .transient, .unknown), ("SSH-2.0\r\n\r\n", .unknown, .unknown),
    ]

    @Test(arguments: table.indices)
    func aWriteWithoutACleanAnswerMayHaveBeenCarriedOut(row: Int) async throws {
        let (answer, failure, effect) = Self.table[row]
        try await CannedServer.run(answer) { server in
            let provider = try provider(server.baseURL)
            let client = try client()
            let error = try #require(
                await #expect(throws: ProviderError.self) {
                    _ = try await provider.addSecret(to: client, tag: "tag", permit: WritePermit { true })
                })
            #expect(error.failure == failure, "row \(row)")
            #expect(error.effect == effect, "row \(row)")
            #expect(error.message.contains("billing-sync"))
            #expect(error.remedy != nil)
            #expect(server.requests.count == 1, "row \(row): something was sent again")
            var text = String(reflecting: error)
            dump(error, to: &text)
            #expect(!text.contains(Self.token.prefix(8)))
        }
    }

    @Test(arguments: table.indices)
    func aReadNeverHasAnEffect(row: Int) async throws {
        try await CannedServer.run(Self.table[row].0) { server in
            let provider = try provider(server.baseURL)
            let client = try client()
            let error = await #expect(throws: ProviderError.self) { _ = try await provider.secrets(of: client) }
            #expect(error?.effect == ProviderError.Effect.none)
        }
    }

    @Test func aServerThatIsNotThereGotNothing() async throws {
        var baseURL = ""
        try await CannedServer.run("") { baseURL = $0.baseURL }
        let provider = try provider(baseURL)
        let client = try client()
        let error = await #expect(throws: ProviderError.self) {
            _ = try await provider.addSecret(to: client, tag: "tag", permit: WritePermit { true })
        }
        #expect(error?.effect == ProviderError.Effect.none)
        #expect(error?.failure == .transient)
    }

    @Test func thePermitIsAskedOnceMoreWhenTheConnectionStands() async throws {
        try await CannedServer.run(Self.answer("500 No")) { server in
            let provider = try provider(server.baseURL)
            let client = try client()
            let asked = Mutex(0)
            let permit = WritePermit {
                asked.withLock {
                    $0 += 1
                    return $0 == 1
                }
            }
            let error = await #expect(throws: ProviderError.self) {
                try await provider.removeSecret(SecretID("s"), of: client, permit: permit)
            }
            #expect(error?.effect == ProviderError.Effect.none)
            #expect(error?.message.contains("claim") == true)
            #expect(asked.withLock { $0 } == 2)
            #expect(server.requests.joined().isEmpty)
        }
    }

    @Test func anExpiredPermitMakesNoConnection() async throws {
        try await CannedServer.run("") { server in
            let provider = try provider(server.baseURL)
            let client = try client()
            for write in 1...4 {
                await #expect(throws: ProviderError.self) {
                    let (id, permit) = (SecretID("s"), WritePermit { false })
                    switch write {
                    case 1: _ = try await provider.addSecret(to: client, tag: "tag", permit: permit)
                    case 2: try await provider.removeSecret(id, of: client, permit: permit)
                    case 3: try await provider.deactivateSecret(id, of: client, permit: permit)
                    default: try await provider.reactivateSecret(id, of: client, permit: permit)
                    }
                }
            }
            #expect(server.requests.isEmpty)
        }
    }

    @Test func idsCannotLeaveTheirPlaceInThePath() async throws {
        try await CannedServer.run(Self.answer("404 No")) { server in
            let provider = try provider(server.baseURL)
            let client = try client("../profile?x=1#")
            _ = try? await provider.removeSecret(SecretID(".."), of: client, permit: WritePermit { true })
            let line = server.requests.first?.prefix { $0 != "\r\n" }
            #expect(line == "DELETE /admin/clients/..%2Fprofile%3Fx%3D1%23/secrets/%2E%2E HTTP/1.1")
        }
    }

    @Test func aRevokedTokenIsDead() async throws {
        try await withSandbox { sandbox in
            let fixture = try SandboxFixture(sandbox: sandbox, settings: [:])
            let client = try await fixture.makeClient()
            let token = try await fixture.exchanger.exchange(fixture.exchange(client.reference, client.secret))
            let resource = sandbox.baseURL + "/resource"
            try await fixture.exchanger.callCanary(url: resource, token: token)
            let revoking = try #require(fixture.provider as? any TokenRevoking)
            try await revoking.revoke(token, of: client.reference, secret: client.secret)
            await #expect(throws: ExchangeError.self) {
                try await fixture.exchanger.callCanary(url: resource, token: token)
            }
            #expect(try sandbox.stats(clientID: client.reference.clientID).tokens.live == 0)
        }
    }
}

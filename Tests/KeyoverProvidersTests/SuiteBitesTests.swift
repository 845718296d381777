import KeyoverConformance
import KeyoverCore
import KeyoverOAuth
import KeyoverProviders
import KeyoverSandbox
import Testing

/// The conformance suite must catch adapters that break the contract.
@Suite struct SuiteBitesTests {
    /// A way to be wrong, and a promise that it breaks.
    enum Flaw: String, CaseIterable {
        case claimsNoEffectOfLostWrites = "a lost answer to an addition is effect unknown"
        case sendsAgainWhenTheAnswerIsLost = "a lost answer to a removal is effect unknown"
        case ignoresThePermit = "an expired permit sends nothing"
        case forgetsTheTag = "an added secret is listed with its tag"
        case doesNotRemove = "a removed secret is refused"
        case takesMissingForRemoved = "removing twice is notFound"
        case returnsAnotherValue = "an added secret works after the propagation bound"
        case showsTheValueInTheList = "the list shows the adopted secret, turned on and without its value"
        case losesTheWait = "throttling is rateLimited with the wait"
    }

    @Test(arguments: Flaw.allCases)
    func aFlawedAdapterIsCaught(flaw: Flaw) async throws {
        let settings = ["propagation": "0s", "deactivate": "false"]
        let tenant = try tenantRecord(
            provider: "sandbox", baseURL: "http://127.0.0.1:1", settings: settings, credential: "unused")
        let sample = try ProviderRegistry.make(tenant: tenant, http: try BoundedHTTP())
        let suite = ProviderSuite(sample: FlawedProvider(sample, flaw, secret: nil)) { body in
            try await withSandbox { sandbox in
                try await body(FlawedFixture(SandboxFixture(sandbox: sandbox, settings: settings), flaw))
            }
        }
        var caught: [String] = []
        for promise in suite.cases {
            do {
                try await promise.run()
            } catch {
                caught.append(promise.name)
            }
        }
        #expect(caught.contains { $0.hasPrefix(flaw.rawValue) }, "caught only: \(caught)")
    }
}

/// The sandbox with a flawed adapter.
private final class FlawedFixture: ProviderServerFixture {
    private let base: SandboxFixture
    private let flaw: SuiteBitesTests.Flaw

    init(_ base: SandboxFixture, _ flaw: SuiteBitesTests.Flaw) {
        self.base = base
        self.flaw = flaw
    }

    var provider: any Provider { FlawedProvider(base.provider, flaw, secret: base.sandbox.adminToken) }
    var exchanger: any TokenExchanging { base.exchanger }
    func makeClient() async throws -> FixtureClient {
        let made = try await base.makeClient()
        // The flaw that shows values needs to know one.
        guard flaw == .showsTheValueInTheList else { return made }
        return FixtureClient(
            reference: made.reference, secretID: made.secretID,
            secret: SecretValue(copying: Array(base.sandbox.adminToken.utf8)))
    }
    func exchange(_ client: ClientReference, _ secret: SecretValue) -> ExchangeRequest { base.exchange(client, secret) }
    func writes(of client: ClientReference) async throws -> Int { try await base.writes(of: client) }
    func loseNextAnswer() async throws { try await base.loseNextAnswer() }
    func throttleNextCall(retryAfter: TimeSpan) async throws {
        try await base.throttleNextCall(retryAfter: retryAfter)
    }
}

/// An adapter that is wrong in one way and right in all others.
private struct FlawedProvider: SecretAdding, SecretRemoving {
    static let kind = "flawed"
    private let base: any Provider
    private let flaw: SuiteBitesTests.Flaw
    private let secret: String?

    init(_ base: any Provider, _ flaw: SuiteBitesTests.Flaw, secret: String?) {
        self.base = base
        self.flaw = flaw
        self.secret = secret
    }

    var capabilities: Capabilities {
        var capabilities = base.capabilities
        capabilities.evidence = .none
        return capabilities
    }
    var tokenURL: String? { base.tokenURL }
    func instructions(for step: ManualStep, client: ClientReference) -> [String] { [] }

    private func adapter() throws(ProviderError) -> SandboxProvider {
        guard let adapter = base as? SandboxProvider else { throw ProviderError(.unknown, effect: .none, "no sandbox") }
        return adapter
    }

    func secrets(of client: ClientReference) async throws(ProviderError) -> [ListedSecret] {
        var listed = try await adapter().secrets(of: client)
        for index in listed.indices where flaw == .showsTheValueInTheList { listed[index].hint = secret }
        return listed
    }

    func addSecret(
        to client: ClientReference, tag: String, permit: WritePermit
    ) async throws(ProviderError) -> MintedSecret {
        let permit = flaw == .ignoresThePermit ? WritePermit { true } : permit
        do {
            var made = try await adapter().addSecret(
                to: client, tag: flaw == .forgetsTheTag ? "" : tag, permit: permit)
            if flaw == .returnsAnotherValue { made.value = SecretValue(copying: Array("another-value".utf8)) }
            return made
        } catch {
            throw flawed(error)
        }
    }

    func removeSecret(_ id: SecretID, of client: ClientReference, permit: WritePermit) async throws(ProviderError) {
        if flaw == .doesNotRemove { return }
        do {
            try await adapter().removeSecret(id, of: client, permit: permit)
        } catch  where flaw == .takesMissingForRemoved && error.failure == .notFound {
            return
        } catch  where flaw == .sendsAgainWhenTheAnswerIsLost && error.effect == .unknown {
            try await adapter().removeSecret(id, of: client, permit: permit)
        } catch {
            throw flawed(error)
        }
    }

    private func flawed(_ error: ProviderError) -> ProviderError {
        switch flaw {
        case .claimsNoEffectOfLostWrites: ProviderError(error.failure, effect: .none, error.message)
        case .losesTheWait where error.isRetryable: ProviderError(.transient, effect: error.effect, error.message)
        default: error
        }
    }
}

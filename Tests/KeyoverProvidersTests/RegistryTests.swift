import KeyoverCore
import KeyoverOAuth
import KeyoverProviders
import Testing

/// Which tenants an adapter is made for.
@Suite struct RegistryTests {
    private func make(_ tenant: TenantRecord) throws -> any Provider {
        try ProviderRegistry.make(tenant: tenant, http: try BoundedHTTP())
    }

    private func sandbox(
        _ settings: [String: String] = [:], baseURL: String? = "http://127.0.0.1:8089", credential: String? = "token"
    ) throws -> TenantRecord {
        try tenantRecord(provider: "sandbox", baseURL: baseURL, settings: settings, credential: credential)
    }

    private func manual(_ settings: [String: String]) throws -> TenantRecord {
        try tenantRecord(provider: "manual", settings: settings)
    }

    @Test func kindsAreUniqueAndDescribed() throws {
        let kinds = ProviderRegistry.all
        #expect(Set(kinds.map(\.kind)).count == kinds.count)
        for kind in kinds {
            #expect(!kind.summary.isEmpty)
            #expect(kind.settings.allSatisfy { !$0.summary.isEmpty })
            #expect(try ProviderRegistry.kind(named: kind.kind).kind == kind.kind)
        }
    }

    @Test func anUnknownProviderIsToldWhichThereAre() throws {
        let error = #expect(throws: ConfigurationError.self) { try ProviderRegistry.kind(named: "Sandbox") }
        #expect(error?.code == .unknownProvider)
        #expect(error?.remedy?.contains("sandbox") == true)
    }

    @Test func theSandboxTakesItsCapabilitiesFromTheSettings() throws {
        let standard = try make(sandbox()).capabilities
        #expect(standard.maxSecrets == 2 && standard.reversibleDeactivate && standard.deletesByID)
        #expect(standard.propagationBound == .seconds(2) && standard.commitDelay == .seconds(10))
        #expect(standard.evidence == .perSecret && standard.mintRepair == .removeTagged && standard.liveTokenCap == 10)
        let settings = [
            "propagation": "500ms", "commit-delay": "3s", "deactivate": "false", "max-secrets": "5", "fuse": "1m",
        ]
        let own = try make(sandbox(settings)).capabilities
        #expect(own.maxSecrets == 5 && !own.reversibleDeactivate)
        #expect(own.propagationBound == .milliseconds(500) && own.commitDelay == .seconds(3))
        #expect(own.addStartsFuse == .minutes(1))
        #expect(try make(sandbox()).tokenURL == "http://127.0.0.1:8089/oauth/token")
    }

    @Test(arguments: [
        ["propagation": "2"], ["propagation": "-2s"], ["deactivate": "yes"], ["max-secrets": "0"],
        ["max-secrets": "many"],
        ["commit_delay": "1s"], ["token_url": "https://login.example/"],
    ])
    func aSettingThatMakesNoSenseIsAnErrorThatNamesIt(settings: [String: String]) throws {
        let error = #expect(throws: ConfigurationError.self) { try make(sandbox(settings)) }
        #expect(error?.message.contains(settings.keys.joined()) == true)
    }

    @Test func theSandboxNeedsBaseURLAndCredential() throws {
        #expect(throws: ConfigurationError.self) { try make(sandbox(baseURL: nil)) }
        #expect(throws: ConfigurationError.self) { try make(sandbox(credential: nil)) }
        for url in ["http://localhost:8089", "http://192.0.2.1", "127.0.0.1:8089", "http://u:p@127.0.0.1"] {
            let error = #expect(throws: ConfigurationError.self) { try make(sandbox(baseURL: url)) }
            #expect(error?.code == .invalidURL)
        }
    }

    @Test func manualNeedsATokenURLWithTLSUnlessLoopbackIsAskedFor() throws {
        let loopback = "http://127.0.0.1:8089/oauth/token"
        #expect(throws: ConfigurationError.self) { try make(manual([:])) }
        #expect(throws: ConfigurationError.self) { try make(manual(["token_url": loopback])) }
        let rehearsal = try manual(["token_url": loopback, "allow_loopback_http": "true"])
        #expect(try make(rehearsal).tokenURL == loopback)
        let kind = try ProviderRegistry.kind(named: "manual")
        #expect(kind.allowsLoopbackHTTP(for: rehearsal))
        let strict = try manual(["token_url": "https://login.example/"])
        #expect(!kind.allowsLoopbackHTTP(for: strict))
    }

    @Test func manualAddsTheTenantsOwnWords() throws {
        let provider = try make(
            manual(["token_url": "https://login.example/", "add_steps": "Press the green button.\nWait."]))
        let client = ClientReference(name: try #require(ClientName("billing-sync")), clientID: "abc")
        let steps = provider.instructions(for: .addSecret, client: client)
        #expect(
            steps == [
                "1. Open the console of rehearsal and find the client with id abc.", "2. Press the green button.",
                "3. Wait.",
                "4. Copy the new value and hand it over: keyover resume billing-sync --secret-stdin",
            ])
        let deletion = provider.instructions(for: .deleteSecret(.primary, SecretID("k-1")), client: client)
        #expect(deletion.contains { $0.contains("k-1") })
        #expect(deletion.last?.contains("keyover resume billing-sync --deleted") == true)
    }
}

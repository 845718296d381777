import KeyoverConformance
import KeyoverCore
import KeyoverOAuth
import KeyoverProviders
import KeyoverSandbox
import Testing

/// Every registered provider, through the suite that all of them share.
@Suite struct ConformanceTests {
    /// How to put each kind to the test; a registered kind that is missing here fails.
    private static func suite(for kind: String) throws -> ProviderSuite? {
        switch kind {
        case "sandbox": try sandboxSuite(.calm, ["propagation": "0s"])
        case "manual": try manualSuite()
        default: nil
        }
    }

    @Test(arguments: ProviderRegistry.all.map(\.kind))
    func theRegisteredProviderKeepsTheContract(kind: String) async throws {
        let suite = try #require(try Self.suite(for: kind), "provider \(kind) has no fixture in this file")
        try await run(suite)
    }

    @Test func theContractHoldsWhileReplicasLagAndChangeTheirMinds() async throws {
        var profile = SandboxProfile.flapping
        profile.propagationMilliseconds = 300
        profile.flapMilliseconds = 20
        try await run(try Self.sandboxSuite(profile, ["propagation": "300ms"]))
    }

    @Test func theContractHoldsWithOddCodesAndHostileSecrets() async throws {
        try await run(try Self.sandboxSuite(.odd, ["propagation": "0s"]))
    }

    private func run(_ suite: ProviderSuite) async throws {
        let cases = suite.cases
        #expect(!cases.isEmpty)
        #expect(Set(cases.map(\.name)).count == cases.count)
        for promise in cases {
            do {
                try await promise.run()
            } catch {
                Issue.record("\(promise): \(error)")
            }
        }
    }

    private static func sandboxSuite(_ profile: SandboxProfile, _ settings: [String: String]) throws -> ProviderSuite {
        let sample = try tenantRecord(
            provider: "sandbox", baseURL: "http://127.0.0.1:1", settings: settings, credential: "unused")
        return ProviderSuite(sample: try ProviderRegistry.make(tenant: sample, http: try BoundedHTTP())) { body in
            try await withSandbox(profile) { sandbox in
                try await body(try SandboxFixture(sandbox: sandbox, settings: settings))
            }
        }
    }

    private static func manualSuite() throws -> ProviderSuite {
        ProviderSuite(sample: try ManualFixture().provider) { body in try await body(try ManualFixture()) }
    }
}

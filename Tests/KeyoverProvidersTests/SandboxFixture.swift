import KeyoverConformance
import KeyoverCore
import KeyoverOAuth
import KeyoverProviders
import KeyoverSandbox
import Testing

/// The sandbox adapter with the real sandbox behind it.
struct SandboxFixture: ProviderServerFixture {
    let sandbox: SandboxServer
    let provider: any Provider
    let exchanger: any TokenExchanging

    init(sandbox: SandboxServer, settings: [String: String]) throws {
        let http = try BoundedHTTP()
        let tenant = try tenantRecord(
            provider: "sandbox", baseURL: sandbox.baseURL, settings: settings, credential: sandbox.adminToken)
        self.sandbox = sandbox
        provider = try ProviderRegistry.make(tenant: tenant, http: http)
        let kind = try ProviderRegistry.kind(named: "sandbox")
        exchanger = TokenExchanger(http: http, allowsLoopbackHTTP: kind.allowsLoopbackHTTP(for: tenant))
    }

    func makeClient() async throws -> FixtureClient {
        let made = try sandbox.createClient(clientID: "billing/sync +%")
        return FixtureClient(
            reference: ClientReference(name: try #require(ClientName("billing-sync")), clientID: "billing/sync +%"),
            secretID: SecretID(made.secretID), secret: SecretValue(copying: Array(made.secret.utf8)))
    }

    func exchange(_ client: ClientReference, _ secret: SecretValue) -> ExchangeRequest {
        ExchangeRequest(
            tokenURL: provider.tokenURL ?? "", clientID: client.clientID, secret: secret, authentication: .basic,
            scopes: [])
    }

    func writes(of client: ClientReference) async throws -> Int {
        try sandbox.stats(clientID: client.clientID).writes.values.reduce(0, +)
    }

    func loseNextAnswer() async throws {
        try change { $0.loseAnswers = 1 }
    }

    func throttleNextCall(retryAfter: TimeSpan) async throws {
        try change {
            $0.throttleNext = 1
            $0.throttleStatuses = [429]
            $0.retryAfterForms = [.seconds]
            $0.retryAfterSeconds = Int(retryAfter.milliseconds / 1000)
        }
    }

    private func change(_ edit: (inout SandboxProfile) -> Void) throws {
        var profile = sandbox.profile
        edit(&profile)
        try sandbox.setProfile(profile)
    }
}

/// The manual adapter, which needs no server.
struct ManualFixture: ProviderFixture {
    let provider: any Provider

    init() throws {
        let tenant = try tenantRecord(
            provider: "manual", settings: ["token_url": "https://login.example/oauth/token"])
        provider = try ProviderRegistry.make(tenant: tenant, http: try BoundedHTTP())
    }
}

/// A tenant for a test.
func tenantRecord(
    provider: String, baseURL: String? = nil, settings: [String: String] = [:], credential: String? = nil
) throws -> TenantRecord {
    var generator = SystemRandomNumberGenerator()
    let now = Timestamp(millisecondsSinceEpoch: 1_790_000_000_000)
    let name = try #require(TenantName("rehearsal"))
    var tenant = TenantRecord(
        id: UUIDv7(at: now, using: &generator), name: name, provider: provider, createdAt: now)
    tenant.baseURL = baseURL
    tenant.settings = settings
    tenant.adminCredential = credential.map { SecretValue(copying: Array($0.utf8)) }
    return tenant
}

/// Runs a test with a sandbox of its own.
func withSandbox(
    _ profile: SandboxProfile = .calm, _ body: (SandboxServer) async throws -> Void
) async throws {
    let sandbox = try await SandboxServer.start(SandboxConfiguration(profile: profile))
    do {
        try await body(sandbox)
    } catch {
        await sandbox.stop()
        throw error
    }
    await sandbox.stop()
}

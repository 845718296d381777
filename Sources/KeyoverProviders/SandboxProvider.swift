import FoundationEssentials
public import KeyoverCore
import KeyoverOAuth

/// The OAuth server that comes with Keyover, for demonstrations, rehearsals and tests.
///
/// Two secrets a client, tagged through `displayName`, removed by id, turned off and on again, each with its last use.
public struct SandboxProvider: SecretAdding, SecretRemoving, SecretDeactivating, UsageReporting, TokenRevoking {
    /// `sandbox`.
    public static let kind = "sandbox"

    /// What the sandbox can do, as the tenant's settings describe its profile.
    public let capabilities: Capabilities
    private let baseURL: EndpointURL
    private let adminToken: SecretValue
    private let calls: AdministrativeCall

    static let registration = ProviderKind(
        kind: kind, summary: "Keyover's own server for rehearsals, started with keyover sandbox",
        settings: [
            .init("propagation", "by when a change of a secret is in force everywhere (2s)"),
            .init("commit-delay", "by when a write that was sent has taken effect or never will (10s)"),
            .init("deactivate", "whether secrets are turned off and watched before they are deleted (true)"),
            .init("max-secrets", "how many secrets a client may hold (2)"),
            .init("fuse", "how long after an addition the older secrets expire (never)"),
        ],
        needsBaseURL: true, needsAdminCredential: true, allowsLoopbackHTTP: { _ in true },
        build: { tenant, http throws(ConfigurationError) in try SandboxProvider(tenant: tenant, http: http) })

    init(tenant: TenantRecord, http: BoundedHTTP) throws(ConfigurationError) {
        let settings = SettingsReader(tenant: tenant)
        var capabilities = Capabilities(maxSecrets: try settings.count("max-secrets", default: 2, in: 1...1000))
        capabilities.reversibleDeactivate = try settings.boolean("deactivate", default: true)
        capabilities.deletesByID = true
        capabilities.lastSecretGuard = true
        capabilities.propagationBound = try settings.timeSpan("propagation", default: .seconds(2))
        capabilities.commitDelay = try settings.timeSpan("commit-delay", default: .seconds(10))
        let fuse = try settings.timeSpan("fuse", default: .zero)
        capabilities.addStartsFuse = fuse == .zero ? nil : fuse
        capabilities.removalCancelsFuse = fuse != .zero
        capabilities.liveTokenCap = 10
        capabilities.evidence = .perSecret
        capabilities.mintRepair = .removeTagged
        self.capabilities = capabilities
        baseURL = try settings.url(tenant.baseURL ?? "", named: "base URL", allowsLoopbackHTTP: true)
        adminToken = tenant.adminCredential ?? SecretValue(copying: [])
        calls = AdministrativeCall(
            http: http, limits: .administration, provider: "the sandbox at \(baseURL.origin)",
            readFailure: Self.failure)
    }

    /// The sandbox's token endpoint.
    public var tokenURL: String? { baseURL.appending("oauth", "token").description }

    /// Nothing needs a person here.
    public func instructions(for step: ManualStep, client: ClientReference) -> [String] { [] }

    // MARK: Calls

    /// All secrets of the client.
    public func secrets(of client: ClientReference) async throws(ProviderError) -> [ListedSecret] {
        try await list(client).map { secret in
            ListedSecret(
                id: SecretID(secret.id), tag: secret.displayName, isActive: secret.status == "ACTIVE",
                createdAt: secret.createdAt, expiresAt: secret.expiresAt, hint: secret.hint)
        }
    }

    /// Adds a secret with the tag as its display name.
    public func addSecret(
        to client: ClientReference, tag: String, permit: WritePermit
    ) async throws(ProviderError) -> MintedSecret {
        let purpose = "add a secret to client \(client.name)"
        let body = (try? JSONEncoder().encode(["displayName": tag])).map(Array.init)
        let answer = try await calls.send(
            call(.post, secretsURL(client), body: body), to: purpose, permit: permit)
        let secret = try calls.object(Secret.self, in: answer, to: purpose, isWrite: true)
        guard let value = secret.secret, !value.isEmpty, !secret.id.isEmpty else {
            throw ProviderError(
                .unknown, effect: .unknown, "could not \(purpose): the answer holds no value",
                remedy: "run keyover resume")
        }
        let fuse = capabilities.addStartsFuse.flatMap { span in secret.createdAt.map { $0 + span } }
        return MintedSecret(
            id: SecretID(secret.id), value: SecretValue(copying: Array(value.utf8)), createdAt: secret.createdAt,
            expiresAt: secret.expiresAt, fuse: fuse)
    }

    /// Removes a secret.
    public func removeSecret(
        _ id: SecretID, of client: ClientReference, permit: WritePermit
    ) async throws(ProviderError) {
        let url = baseURL.appending("admin", "clients", client.clientID, "secrets", id.description)
        _ = try await calls.send(
            call(.delete, url), to: "delete secret \(id) of client \(client.name)", permit: permit)
    }

    /// Turns a secret off.
    public func deactivateSecret(
        _ id: SecretID, of client: ClientReference, permit: WritePermit
    ) async throws(ProviderError) {
        try await turn(id, of: client, "deactivate", permit)
    }

    /// Turns a secret on.
    public func reactivateSecret(
        _ id: SecretID, of client: ClientReference, permit: WritePermit
    ) async throws(ProviderError) {
        try await turn(id, of: client, "reactivate", permit)
    }

    /// The newest accepted exchange of each secret.
    public func lastUse(of client: ClientReference) async throws(ProviderError) -> [SecretID: Timestamp] {
        let used = try await list(client).compactMap { secret in
            secret.lastUsedAt.map { (SecretID(secret.id), $0) }
        }
        return Dictionary(used) { max($0, $1) }
    }

    /// Ends a token, with the secret that it was got with (RFC 7009).
    public func revoke(
        _ token: TokenGrant, of client: ClientReference, secret: SecretValue
    ) async throws(ProviderError) {
        let form = AuthenticatedForm(
            to: baseURL.appending("oauth", "revoke"), clientID: client.clientID, secret: secret, authentication: .basic,
            parameters: [(name: "token", value: token.accessToken)])
        _ = try await calls.send(form.call, to: "revoke a token of client \(client.name)")
    }

    private func list(_ client: ClientReference) async throws(ProviderError) -> [Secret] {
        let purpose = "list the secrets of client \(client.name)"
        let answer = try await calls.send(call(.get, secretsURL(client)), to: purpose)
        return try calls.object(SecretList.self, in: answer, to: purpose, isWrite: false).secrets
    }

    private func turn(
        _ id: SecretID, of client: ClientReference, _ verb: String, _ permit: WritePermit
    ) async throws(ProviderError) {
        let url = baseURL.appending("admin", "clients", client.clientID, "secrets", id.description, verb)
        _ = try await calls.send(
            call(.post, url), to: "\(verb) secret \(id) of client \(client.name)", permit: permit)
    }

    private func secretsURL(_ client: ClientReference) -> EndpointURL {
        baseURL.appending("admin", "clients", client.clientID, "secrets")
    }

    private func call(_ method: HTTPCall.Method, _ url: EndpointURL, body: [UInt8]? = nil) -> HTTPCall {
        let token = adminToken.withUnsafeSecretBytes { String(decoding: $0, as: UTF8.self) }
        var headers = [(name: "Authorization", value: "Bearer \(token)"), (name: "Accept", value: "application/json")]
        if body != nil { headers.append((name: "Content-Type", value: "application/json")) }
        return HTTPCall(method, url, headers: headers, body: body)
    }

    // MARK: What the sandbox says

    private struct SecretList: Decodable {
        var secrets: [Secret]
    }

    private struct Secret: Decodable {
        var id: String
        var displayName: String?
        var status: String
        var createdAt: Timestamp?
        var expiresAt: Timestamp?
        var lastUsedAt: Timestamp?
        var hint: String?
        var secret: String?
    }

    @Sendable private static func failure(_ answer: HTTPAnswer) -> FailureClass? {
        let body = BoundedJSON.object(
            OAuthErrorBody.self, from: answer.body, depth: HTTPLimits.administration.jsonDepth)
        return switch body?.error {
        case "quota_exceeded": .quotaFull
        case "last_secret": .lastSecret
        case "secret_not_found", "client_not_found": .notFound
        default: nil
        }
    }
}

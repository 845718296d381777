import KeyoverCompliance
import KeyoverCore
import KeyoverOAuth
import KeyoverSandbox
import KeyoverSealing
import KeyoverVaults

/// Where the demonstration makes its vault: in its temporary folder, or below a URL.
enum DemoPlace: Sendable {
    case temporaryFolder
    case below(VaultURL, VaultReach)
}

/// Everything that the demonstration runs in: a server on loopback, a vault for the while of it, an adopted client.
struct DemoWorld: Sendable {
    /// How long a worker may use a secret it was given; workers that were slower ask again.
    static let consumerCache = TimeSpan.seconds(2)

    let server: SandboxServer
    let directory: String
    /// The vault, where it does not lie in the folder.
    let temporaryVault: TemporaryVault?
    let workspace: Workspace
    let client: ClientName
    let tenant: TenantRecord
    /// The secret that the rotation replaces, kept to try it afterwards.
    let oldSecret: SecretValue

    static func make(profile: SandboxProfile, vault place: DemoPlace) async throws -> DemoWorld {
        var profile = profile
        // A worker mints a token for each request. With the usual cap of ten, sixteen workers would silently end each
        // other's tokens between minting and using them, which is a fault of the traffic and no matter of secrets.
        profile.maxLiveTokens = 1_000_000
        let server = try await SandboxServer.start(SandboxConfiguration(profile: profile))
        let directory = try FileSystem.makeTemporaryDirectory("demo")
        do {
            guard case .below(let url, let reach) = place else {
                return try await fill(directory, server, try await fileVault(in: directory), nil)
            }
            let temporary = try await VaultRegistry.makeTemporary(
                below: url, reach, stateDirectory: directory + "/state")
            do {
                return try await fill(directory, server, temporary.vault, temporary)
            } catch {
                try? await temporary.erase()
                throw error
            }
        } catch {
            await server.stop()
            FileSystem.removeTree(directory)
            throw error
        }
    }

    private static func fileVault(in directory: String) async throws -> any Vault {
        let identity = try X25519Identity.generate()
        let url = VaultURL(scheme: FileBackend.scheme, location: directory + "/vault")
        let pin = try await VaultRegistry.create(url, VaultCreation(for: [identity.recipient]))
        return try await VaultRegistry.open(
            url, VaultAccess(identities: [identity], pin: pin, stateDirectory: directory + "/state"))
    }

    private static func fill(
        _ directory: String, _ server: SandboxServer, _ vault: any Vault, _ temporaryVault: TemporaryVault?
    ) async throws -> DemoWorld {
        guard let client = ClientName("billing-sync"), let tenantName = TenantName("sandbox") else {
            preconditionFailure("both are valid names")
        }
        var policy = RotationPolicy()
        policy.name = "demo"
        policy.consumerCache = consumerCache
        let workspace = try await Workspace(
            vault: vault, http: try BoundedHTTP(), policies: PolicySet([policy]),
            stateDirectory: directory + "/state")

        var tenant = TenantRecord(
            id: workspace.freshID(), name: tenantName, provider: "sandbox", createdAt: workspace.now.wall)
        tenant.baseURL = server.baseURL
        tenant.adminCredential = SecretValue(copying: Array(server.adminToken.utf8))
        for setting in TenantSettings(server.profile).list {
            guard let setting = KeyValue(argument: setting) else { continue }
            tenant.settings[setting.key] = setting.value
        }
        _ = try await vault.write(tenant, expecting: nil)

        let first = try server.createClient(clientID: client.description, scopes: ["read"])
        let secret = SecretValue(copying: Array(first.secret.utf8))
        var registration = Registration(tenant: tenantName)
        registration.scopes = ["read"]
        registration.canaryURL = server.baseURL + "/resource"
        let adoption = Adoption(
            workspace: workspace, tenant: tenant, provider: try workspace.provider(of: tenant), name: client,
            clientID: client.description, secret: secret)
        let record = try await adoption.record(registration, verifying: true, secretID: nil, issuedAt: nil)
        try await workspace.add(record, action: "client.added", details: [:], reason: "demonstration")
        return DemoWorld(
            server: server, directory: directory, temporaryVault: temporaryVault, workspace: workspace, client: client,
            tenant: tenant, oldSecret: secret)
    }

    /// What the server has counted.
    func statistics() -> SandboxStatistics? { try? server.stats(clientID: client.description) }

    /// Stops the server and removes the vault and the folder.
    func end() async throws {
        await server.stop()
        defer { FileSystem.removeTree(directory) }
        try await temporaryVault?.erase()
    }
}

import Foundation
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import VaultServers

/// A vault of any backend at a fresh place on its real server, made and opened through the registry.
struct VaultOnServer: Sendable {
    let place: VaultPlace
    let scratch: Scratch
    let identity: X25519Identity
    let pin: VaultPin
    let vault: any Vault

    /// A vault with the powers that its backend's server gives it.
    static func make(_ server: any VaultServer) async throws -> any VaultFixture {
        let opened = try await VaultOnServer(server)
        guard let mortal = server as? any MortalVaultServer else {
            return opened.place.url.scheme == FileBackend.scheme
                ? FileVaultFixture(opened: opened) : PlainVaultFixture(opened: opened)
        }
        guard opened.place.reach.credential != nil else { return MortalVaultFixture(opened: opened, server: mortal) }
        return SignInVaultFixture(opened: opened, server: mortal)
    }

    private init(_ server: any VaultServer) async throws {
        place = try await server.place()
        scratch = try Scratch()
        identity = try X25519Identity.generate()
        let file = scratch.path + "/identity"
        try IdentityFile.text(of: identity).withUnsafeSecretBytes { try writePrivately(Data($0), to: file) }
        pin = try await VaultRegistry.create(
            place.url, VaultCreation(for: [identity.recipient], reach: place.reach))
        vault = try await VaultRegistry.open(
            place.url,
            VaultAccess(
                identities: [identity], pin: pin, stateDirectory: scratch.path + "/state", reach: place.reach))
    }

    func handle(
        as identities: [any AgeIdentity]? = nil, _ change: (inout VaultReach) -> Void = { _ in }
    ) async throws -> any Vault {
        var access = VaultAccess(
            identities: identities ?? [identity], pin: pin, stateDirectory: scratch.path + "/state",
            reach: place.reach)
        change(&access.reach)
        return try await VaultRegistry.open(place.url, access)
    }

    /// The environment of a program that is to open the vault.
    var environment: [String: String] {
        var environment = place.environment
        environment["KEYOVER_VAULT"] = place.url.description
        environment["KEYOVER_VAULT_ID"] = pin.vaultID?.description
        environment["KEYOVER_KEY_COMMITMENT"] = pin.commitmentText
        environment["KEYOVER_IDENTITY_FILE"] = scratch.path + "/identity"
        environment["KEYOVER_STATE_DIR"] = scratch.path + "/state"
        return environment
    }
}

/// What all vaults of the registry do alike.
protocol RegisteredVaultFixture: WorkerFixture {
    var opened: VaultOnServer { get }
}

extension RegisteredVaultFixture {
    var vault: any Vault { opened.vault }

    // A keyring is written whole at each change, and each call signs in to it anew.
    var incrementsEach: Int { opened.vault.backend == LibsecretBackend.scheme ? 40 : 250 }

    func secondHandle() async throws -> any Vault { try await opened.handle() }

    func metadataHandle() async throws -> any Vault {
        guard let vault = vault as? any RekeyableVault else { throw ConformanceFailure("nothing can be granted") }
        let auditor = try X25519Identity.generate()
        try await vault.grant(
            to: VaultAudience(full: vault.audience.full, metadataOnly: [.key(auditor.recipient)]))
        return try await opened.handle(as: [auditor])
    }

    func strangersHandle() async throws -> any Vault {
        try await opened.handle(as: [try X25519Identity.generate()])
    }

    func findings() async throws -> [String] {
        guard let vault = try await secondHandle() as? any InspectableVault else {
            throw ConformanceFailure("the vault cannot be checked")
        }
        return try await vault.verify().findings.map(\.message)
    }

    func startWorker(on client: ClientName, times: Int) async throws -> any VaultWorker {
        try WorkerProcess(on: client, times: times, environment: opened.environment)
    }
}

private struct PlainVaultFixture: RegisteredVaultFixture {
    let opened: VaultOnServer
}

private struct FileVaultFixture: RegisteredVaultFixture, FileFixture {
    let opened: VaultOnServer

    func loosen() throws { try setMode(0o644, opened.place.url.location + "/vault.db") }
    func tighten() throws { try setMode(0o600, opened.place.url.location + "/vault.db") }
}

/// What all servers that can be hurt do alike.
private protocol HurtVaultFixture: RegisteredVaultFixture, MortalFixture {
    var server: any MortalVaultServer { get }
}

extension HurtVaultFixture {
    func handle(patience: TimeSpan) async throws -> any Vault { try await opened.handle { $0.patience = patience } }
    func killServer() async throws {
        guard let cluster = server as? any VaultCluster else { return try await server.kill() }
        try await cluster.killAll()
    }
    func reviveServer() async throws { try await server.revive() }
    func freezeServer() async throws {
        guard let cluster = server as? any VaultCluster else { return try await server.freeze() }
        try await cluster.freezeQuorum()
    }
    func thawServer() async throws { try await server.thaw() }
}

private struct MortalVaultFixture: HurtVaultFixture {
    let opened: VaultOnServer
    let server: any MortalVaultServer
}

private struct SignInVaultFixture: HurtVaultFixture, SignInFixture {
    let opened: VaultOnServer
    let server: any MortalVaultServer

    func handleWithWrongCredential() async throws -> any Vault {
        try await opened.handle { $0.credential = SecretValue(copying: "not-the-right-one".utf8) }
    }
}

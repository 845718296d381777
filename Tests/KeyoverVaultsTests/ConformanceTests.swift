import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing
import VaultServers

/// A vault of entries in memory.
private struct MemoryFixture: VaultFixture {
    private let store = MemoryStore()
    private let identity: X25519Identity
    private let auditor: X25519Identity
    private let entryVault: EntryVault<MemoryStore>
    var vault: any Vault { entryVault }

    init() async throws {
        identity = try X25519Identity.generate()
        auditor = try X25519Identity.generate()
        _ = try await EntryVault.create(in: store, VaultCreation(for: [identity.recipient]))
        entryVault = try await EntryVault.open(store, VaultAccess(identities: [identity]))
    }

    func secondHandle() async throws -> any Vault {
        try await EntryVault.open(store, VaultAccess(identities: [identity]))
    }

    func metadataHandle() async throws -> (any Vault)? {
        try await entryVault.grant(
            to: VaultAudience(full: entryVault.audience.full, metadataOnly: [.key(auditor.recipient)]))
        return try await EntryVault.open(store, VaultAccess(identities: [auditor]))
    }
}

/// A vault of any backend, made and opened through the registry.
private struct RegistryFixture: VaultFixture {
    let url: VaultURL
    let access: VaultAccess
    let vault: any Vault

    init(_ place: VaultPlace, in scratch: Scratch) async throws {
        let identity = try X25519Identity.generate()
        url = place.url
        let pin = try await VaultRegistry.create(url, VaultCreation(for: [identity.recipient], reach: place.reach))
        access = VaultAccess(
            identities: [identity], pin: pin, stateDirectory: scratch.path + "/state", reach: place.reach)
        vault = try await VaultRegistry.open(url, access)
    }

    func secondHandle() async throws -> any Vault { try await VaultRegistry.open(url, access) }
    func metadataHandle() async throws -> (any Vault)? { nil }
}

/// Every registered backend, through the suite that all of them share.
@Suite struct ConformanceTests {
    @Test(arguments: VaultRegistry.backends.map { $0.scheme })
    func theRegisteredBackendKeepsTheContract(scheme: String) async throws {
        let server = try await #require(VaultServers.server(for: scheme)).start()
        await run(
            VaultSuite { body in
                let scratch = try Scratch()
                try await body(try await RegistryFixture(server.place(), in: scratch))
                withExtendedLifetime(scratch) {}
            })
        await server.stop()
    }

    @Test func theFileVaultKeepsTheContractForAuditorsToo() async throws {
        await run(VaultSuite { body in try await body(try await TestVault()) })
    }

    @Test func theMemoryVaultKeepsTheContract() async throws {
        await run(VaultSuite { body in try await body(try await MemoryFixture()) })
    }

    @Test func everyBackendHasItsOwnWord() {
        let schemes = VaultRegistry.backends.map { $0.scheme }
        #expect(Set(schemes).count == schemes.count)
        #expect(schemes.first == "file")
    }

    @Test func anUnknownBackendIsNamedWithTheKnownOnes() async {
        let error = await failure {
            _ = try await VaultRegistry.open(
                VaultURL(scheme: "floppy", location: "a"), VaultAccess(identities: []))
        }
        #expect(error?.code == .invalid)
        #expect(error?.remedy?.contains("file:") == true)
    }

    private func run(_ suite: VaultSuite) async {
        let cases = suite.cases
        #expect(Set(cases.map(\.name)).count == cases.count)
        for promise in cases {
            do {
                try await promise.run()
            } catch {
                Issue.record("\(promise): \(error)")
            }
        }
    }
}

import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults

/// A vault of entries in memory.
struct MemoryFixture: VaultFixture {
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

    func metadataHandle() async throws -> any Vault {
        try await entryVault.grant(
            to: VaultAudience(full: entryVault.audience.full, metadataOnly: [.key(auditor.recipient)]))
        return try await EntryVault.open(store, VaultAccess(identities: [auditor]))
    }

    func strangersHandle() async throws -> any Vault {
        try await EntryVault.open(store, VaultAccess(identities: [try X25519Identity.generate()]))
    }

    func findings() async throws -> [String] { try await entryVault.verify().findings.map(\.message) }
}

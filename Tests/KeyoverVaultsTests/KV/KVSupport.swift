import Foundation
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing
import VaultServers

/// A server for all tests that do it no harm; it ends with the test process.
enum SharedOpenBao {
    private static let starting = Task { try await OpenBaoServer.start() }

    static var server: OpenBaoServer {
        get async throws { try await starting.value }
    }
}

/// A vault at a prefix of its own, and what is needed to reach it otherwise.
struct KVSpecimen {
    let server: OpenBaoServer
    let place: VaultPlace
    let identity: X25519Identity
    let auditor: X25519Identity
    let pin: VaultPin
    let kvVault: EntryVault<KVStore>

    var vault: any Vault { kvVault }
    /// The prefix below the mount `secret`.
    var prefix: String { String(place.url.location.split(separator: "/secret/").last ?? "") }

    init(_ server: OpenBaoServer? = nil, as reach: ((OpenBaoServer, VaultPlace) async throws -> VaultReach)? = nil)
        async throws
    {
        if let server { self.server = server } else { self.server = try await SharedOpenBao.server }
        place = try await self.server.place()
        identity = try X25519Identity.generate()
        auditor = try X25519Identity.generate()
        pin = try await KVBackend.create(place.url, VaultCreation(for: [identity.recipient], reach: place.reach))
        let used = try await reach?(self.server, place) ?? place.reach
        kvVault = try await Self.open(place.url, used, [identity], pin)
    }

    static func open(
        _ url: VaultURL, _ reach: VaultReach, _ identities: [any AgeIdentity], _ pin: VaultPin?, state: String? = nil
    ) async throws(VaultError) -> EntryVault<KVStore> {
        try await EntryVault.open(
            try await KVBackend.store(url, reach), VaultAccess(identities: identities, pin: pin, stateDirectory: state))
    }

    /// Opens the vault again, as another process would.
    func reopened(_ reach: VaultReach? = nil, state: String? = nil) async throws(VaultError) -> EntryVault<KVStore> {
        try await Self.open(place.url, reach ?? place.reach, [identity], pin, state: state)
    }

    /// A handle that was granted metadata only.
    func metadataHandle() async throws -> any Vault {
        try await kvVault.grant(
            to: VaultAudience(full: kvVault.audience.full, metadataOnly: [.key(auditor.recipient)]))
        return try await Self.open(place.url, place.reach, [auditor], pin)
    }

    /// A path of the server's interface for an entry.
    func path(_ door: String, _ entry: String) -> String { "secret/\(door)/\(prefix)/\(entry)" }

    /// The versions of an entry that can still be read or brought back, each with its plain secret.
    func readableSecrets(_ entry: String) async throws -> [Int: String?] {
        let metadata = try await server.root.must(.get, path("metadata", entry))
        var found: [Int: String?] = [:]
        for (number, state) in metadata["data", "versions"]?.members ?? [:] where state["destroyed"]?.isTrue != true {
            let version = try #require(Int(number))
            let answer = try await server.root.call(.get, path("data", entry) + "?version=\(version)")
            found.updateValue(answer["data", "data", "client_secret"]?.text, forKey: version)
        }
        return found
    }
}

import Foundation
import KeyoverCore
import KeyoverSealing
import Testing
import VaultServers

@testable import KeyoverVaults

/// Runs with a keyring of its own, which goes away however that ends.
func withKeyring(
    _ condition: SecretServiceServer.Condition = .unlocked, _ body: (SecretServiceServer) async throws -> Void
) async throws {
    let server = try await SecretServiceServer.start(condition)
    do {
        try await body(server)
    } catch {
        await server.stop()
        throw error
    }
    await server.stop()
}

/// The items of one vault, met without a vault on top.
struct KeyringBench {
    static let place = RecordPlace(lookup: [UInt8](repeating: 7, count: 32), kind: "client", name: "billing-sync")

    let name = EntryName.record(place)
    let store: LibsecretStore

    init(_ location: String = "/bench", patience: TimeSpan = .seconds(5)) async throws {
        store = try await LibsecretBackend.store(
            VaultURL(scheme: "libsecret", location: location), VaultReach(patience: patience))
    }

    /// Puts bytes where there is whatever there is.
    func put(_ bytes: [UInt8]) async throws(VaultError) {
        try await store.put(Entry(name, bytes), expecting: store.entry(name)?.version, while: nil)
    }

    func bytes() async throws(VaultError) -> [UInt8]? { try await store.entry(name)?.bytes }
}

/// How long a body takes, and the vault error that it throws.
func timedFailure(_ body: () async throws -> Void) async -> (error: VaultError?, time: Duration) {
    let start = ContinuousClock.now
    let error = await failure(body)
    return (error, .now - start)
}

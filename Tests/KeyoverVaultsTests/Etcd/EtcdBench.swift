import Foundation
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing
import VaultServers

/// A vault in a cluster, with what it takes to open it again.
struct EtcdBench: Sendable {
    let cluster: EtcdCluster
    let scratch: Scratch
    let identity: X25519Identity
    let place: VaultPlace
    var access: VaultAccess

    /// Makes a vault at a place of its own.
    init(_ cluster: EtcdCluster, query: String = "", patience: TimeSpan = .seconds(5)) async throws {
        self.cluster = cluster
        scratch = try Scratch()
        identity = try X25519Identity.generate()
        place = try cluster.place(named: UUID().uuidString, query: query, patience: patience)
        let pin = try await VaultRegistry.create(
            place.url, VaultCreation(for: [identity.recipient], reach: place.reach))
        access = VaultAccess(
            identities: [identity], pin: pin, stateDirectory: scratch.path + "/state", reach: place.reach)
        access.reach.stateDirectory = access.stateDirectory
    }

    /// Another handle, as another process would have it.
    func open(_ change: (inout VaultAccess) -> Void = { _ in }) async throws(VaultError) -> any Vault {
        var access = access
        change(&access)
        return try await VaultRegistry.open(place.url, access)
    }

    /// The keys of the vault's entries in etcd.
    func storedKeys(_ group: String) throws -> [String] {
        try cluster.control(["get", "--prefix", "--keys-only", "\(cluster.prefix(of: place))/\(group)"])
            .split(separator: "\n").map(String.init)
    }

    /// Runs a test with a cluster of its own, one after the other: each is three servers that watch the clock.
    static func withCluster(users: Bool = true, _ body: (EtcdCluster) async throws -> Void) async throws {
        await Gate.shared.enter()
        let outcome: Result<Void, any Error>
        do {
            let cluster = try await EtcdCluster.start(withUsers: users)
            do {
                outcome = .success(try await body(cluster))
            } catch {
                outcome = .failure(error)
            }
            await cluster.stop()
        } catch {
            outcome = .failure(error)
        }
        await Gate.shared.leave()
        try outcome.get()
    }
}

/// Lets one in at a time.
private actor Gate {
    static let shared = Gate()

    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func enter() async {
        if isTaken {
            await withCheckedContinuation { waiting.append($0) }
        }
        isTaken = true
    }

    func leave() {
        if waiting.isEmpty {
            isTaken = false
        } else {
            waiting.removeFirst().resume()
        }
    }
}

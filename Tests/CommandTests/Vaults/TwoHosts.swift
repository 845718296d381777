import FoundationEssentials
import KeyoverCore
import KeyoverSandbox
import KeyoverSealing
import KeyoverVaults
import Synchronization
import VaultServers

/// Two hosts with one vault in a cluster, one provider, and many clients adopted by the first host.
final class TwoHosts: Sendable {
    /// How long readers keep a secret, as it is declared to Keyover.
    static let cache = Duration.milliseconds(1500)

    let cluster: EtcdCluster
    let server: SandboxServer
    let place: VaultPlace
    let hosts: [KeyoverHome]
    /// The clients, with the secret that each begins with.
    let clients: [(name: String, firstSecret: String)]

    private struct Status: Decodable {
        let id: String
        let keyCommitment: String
    }

    private struct Joined: Decodable { let recipient: String }

    private init(_ cluster: EtcdCluster, _ server: SandboxServer, clientCount: Int) async throws {
        self.cluster = cluster
        self.server = server
        let place = try await cluster.place()
        self.place = place
        hosts = try (0..<2).map { _ in
            let home = try KeyoverHome { path in
                place.environment.merging(["KEYOVER_CLAIM_TERM": "5s", "KEYOVER_POLICIES": path + "/policies"]) { $1 }
            }
            try home.write("soak: 300ms\n", to: "policies/rehearsal.yaml")
            return home
        }
        clients = try (1...clientCount).map { number in
            let name = "client-\(number)"
            return (name, try server.createClient(clientID: name, scopes: ["read"]).secret)
        }
        try await adopt()
    }

    /// Carries the body out with everything set up, and takes everything down again.
    static func run(clientCount: Int, _ body: (TwoHosts) async throws -> Void) async throws {
        let cluster = try await EtcdCluster.start()
        let server: SandboxServer
        do {
            var configuration = SandboxConfiguration()
            // Readers come so often that the usual cap would end tokens in use.
            configuration.profile.maxLiveTokens = 1_000_000
            server = try await SandboxServer.start(configuration)
        } catch {
            await cluster.stop()
            throw error
        }
        let outcome: Swift.Result<Void, any Error>
        do {
            outcome = .success(try await body(try await TwoHosts(cluster, server, clientCount: clientCount)))
        } catch {
            outcome = .failure(error)
        }
        await server.stop()
        await cluster.stop()
        try outcome.get()
    }

    private func adopt() async throws {
        let (first, second) = (hosts[0], hosts[1])
        try await first.succeed("init", "--vault", place.url.description)
        let status = try await first.read(Status.self, "vault", "status")
        let join = [
            "vault", "join", "--vault", place.url.description, "--vault-id", status.id, "--key-commitment",
            status.keyCommitment, "--format", "json",
        ]
        let asked = try await second.start(join).finish()
        let recipient = try JSONDecoder().decode(Joined.self, from: Data(asked.output.utf8)).recipient
        try await first.succeed("vault", "grant", recipient)
        let joined = try await second.start(join).finish()
        guard joined.exitCode == 0 else { throw TestFailure("vault join: \(joined.errors)") }
        try await first.succeed(
            "tenant", "add", "ops", "--provider", "sandbox", "--base-url", server.baseURL, "--set",
            "propagation=200ms", "--set", "commit-delay=1s", "--admin-stdin", input: server.adminToken)
        let rows = clients.map { "\($0.name),\($0.name),\($0.firstSecret),read,1500ms" }
        let file = try first.write(
            (["name,client_id,client_secret,scope,consumer_cache"] + rows).joined(separator: "\n") + "\n",
            to: "clients.csv")
        try await first.succeed("client", "import", "--from", "csv", file, "--tenant", "ops")
    }

    /// The vault, as a program on the first host opens it.
    func vault() async throws -> any Vault {
        let identities = try IdentityFile.read(identityPath())
        return try await VaultRegistry.open(place.url, VaultAccess(identities: identities, reach: place.reach))
    }

    private func identityPath() throws -> String {
        let text = try String(
            decoding: Data(contentsOf: URL(filePath: hosts[0].path + "/config/keyover/config.yaml")), as: UTF8.self)
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("identity:") }) else {
            throw TestFailure("the configuration names no identity")
        }
        return line.dropFirst(9).trimming(where: { $0 == " " || $0 == "\"" || $0 == "'" })
    }
}

extension Substring {
    fileprivate func trimming(where isEdge: (Character) -> Bool) -> String {
        var rest = self
        while let first = rest.first, isEdge(first) { rest.removeFirst() }
        while let last = rest.last, isEdge(last) { rest.removeLast() }
        return String(rest)
    }
}

/// Applications that read their secrets from the vault all the time and use them as long as they declared.
final class VaultReaders: Sendable {
    private let hosts: TwoHosts
    private let isOver = Flag()
    private let tally = Mutex((uses: 0, refusals: [String]()))

    var uses: Int { tally.withLock { $0.uses } }
    var refusals: [String] { tally.withLock { $0.refusals } }

    init(_ hosts: TwoHosts) { self.hosts = hosts }

    func stop() { isOver.set() }

    /// Uses the secrets of some clients in turn, until it is stopped.
    func read(_ names: [String]) async throws {
        let vault = try await hosts.vault()
        var held: [String: (secret: String, askedAt: ContinuousClock.Instant)] = [:]
        while !isOver.isSet {
            for name in names where !isOver.isSet {
                if held[name].map({ $0.askedAt.duration(to: .now) > TwoHosts.cache * 0.7 }) ?? true {
                    let askedAt = ContinuousClock.now
                    // While the cluster has no leader nobody reads; who has nothing uses nothing.
                    held[name] = (try? await secret(of: name, in: vault)).map { ($0, askedAt) }
                }
                guard let known = held[name], known.askedAt.duration(to: .now) < TwoHosts.cache * 0.8 else { continue }
                let outcome = try await Consumer(server: hosts.server, client: name).use(known.secret)
                // On a machine so busy that the request took this long, the reader did not keep to what it declared.
                let isOwnFault = known.askedAt.duration(to: .now) > TwoHosts.cache
                tally.withLock { tally in
                    tally.uses += 1
                    if case .refused(let why) = outcome, !isOwnFault { tally.refusals.append("\(name): \(why)") }
                }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private func secret(of name: String, in vault: any Vault) async throws -> String {
        guard let client = ClientName(name), let value = try await vault.read(client)?.record.activeSlot.value else {
            throw TestFailure("there is no \(name)")
        }
        return value.withUnsafeSecretBytes { String(decoding: $0, as: UTF8.self) }
    }
}

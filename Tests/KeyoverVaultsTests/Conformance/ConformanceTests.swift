import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing
import VaultServers

/// Every registered backend on its real server, and the vault in memory, through the suite that all of them share.
@Suite(ConformanceTable.printed) struct ConformanceTests {
    /// What the registered backends do not have, and why.
    private static let lacking: [String: [VaultPower: String]] = [
        "file": [
            .changes: "a database in a file tells other processes nothing", .server: "a file needs no server",
            .signingIn: "a file needs no server",
        ],
        "libsecret": [
            .changes: "items of a keyring are few and are read anew", .signingIn: "the session's bus is the credential",
            .files: "the files are the keyring's",
        ],
        "etcd": [.files: "nothing lies on this host"],
        "kv": [.changes: "KV v2 tells nobody of changes", .files: "nothing lies on this host"],
    ]

    @Test(.timeLimit(.minutes(10)), arguments: VaultRegistry.backends.map { $0.scheme })
    func theRegisteredBackendKeepsTheContract(scheme: String) async throws {
        let kind = try #require(VaultServers.server(for: scheme), "nothing says on what vaults of \(scheme): live")
        let shared = SharedServer(kind)
        let suite = VaultSuite(lacking: Self.lacking[scheme] ?? [:]) { powers, body in
            guard powers.contains(.server) || powers.contains(.processes) else {
                return try await body(try await VaultOnServer.make(try await shared.running()))
            }
            // What is killed or stopped serves nobody else, and a keyring writes all that it holds at every change.
            // Some servers are alone in their process, too.
            await shared.stop()
            let own = try await kind.start()
            let outcome = await Result.of { try await body(try await VaultOnServer.make(own)) }
            await own.stop()
            try outcome.get()
        }
        await run(suite, on: scheme)
        await shared.stop()
    }

    @Test func theVaultInMemoryKeepsTheContract() async throws {
        let lacking = Dictionary(uniqueKeysWithValues: VaultPower.allCases.map { ($0, "memory is of one process") })
        await run(VaultSuite(lacking: lacking) { _, body in try await body(try await MemoryFixture()) }, on: "memory")
    }

    @Test func everyBackendHasItsOwnWordAndServer() {
        let schemes = VaultRegistry.backends.map { $0.scheme }
        #expect(Set(schemes).count == schemes.count)
        #expect(schemes.first == "file")
        #expect(VaultServers.all.map { $0.scheme }.sorted() == schemes.sorted())
    }

    @Test func anUnknownBackendIsNamedWithTheKnownOnes() async {
        let error = await failure {
            _ = try await VaultRegistry.open(
                VaultURL(scheme: "floppy", location: "a"), VaultAccess(identities: []))
        }
        #expect(error?.code == .invalid)
        #expect(error?.remedy?.contains("file:") == true)
    }

    private func run(_ suite: VaultSuite, on backend: String) async {
        let cases = suite.cases
        #expect(Set(cases.map(\.name)).count == cases.count)
        for promise in cases {
            let began = ContinuousClock.now
            let outcome: ConformanceTable.Outcome
            do {
                try await promise.run()
                outcome = promise.notApplicable.map { .notApplicable($0) } ?? .kept
            } catch {
                outcome = .broken
                Issue.record("\(backend): \(promise): \(error)")
            }
            ConformanceTable.shared.note(promise.name, backend, outcome, after: began.duration(to: .now))
        }
    }
}

/// The server that serves one case after the other.
private actor SharedServer {
    private let kind: any VaultServer.Type
    private var server: (any VaultServer)?

    init(_ kind: any VaultServer.Type) {
        self.kind = kind
    }

    func running() async throws -> any VaultServer {
        if let server { return server }
        let started = try await kind.start()
        server = started
        return started
    }

    func stop() async {
        await server?.stop()
        server = nil
    }
}

extension Result where Failure == any Error {
    /// What came of the body.
    static func of(_ body: () async throws -> Success) async -> Self {
        do {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }
}

import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import Synchronization
import Testing
import VaultServers

@testable import KeyoverVaults

/// Changes are told through everything that ends a watch.
@Suite(.serialized) struct EtcdWatchTests {
    @Test(.timeLimit(.minutes(10))) func changesAreToldThroughFrozenMembersAndRestarts() async throws {
        try await EtcdBench.withCluster { cluster in
            let bench = try await EtcdBench(cluster)
            let writer = try await bench.open()
            _ = try await writer.write(SampleRecords.client("before"), expecting: nil)
            try await Told.by(bench) { told in
                try await told.wait(for: "before")

                try await Self.write("first", to: writer)
                try await told.wait(for: "first")

                try await cluster.freeze()
                try await Self.write("while frozen", to: writer)
                try await told.wait(for: "while-frozen")
                try await cluster.thaw()

                try await cluster.kill()
                try await Self.write("without a leader", to: writer)
                try await told.wait(for: "without-a-leader")
                try await cluster.revive()
                try await Self.write("with it again", to: writer)
                try await told.wait(for: "with-it-again")

                cluster.killAll()
                try await cluster.revive()
                try await Self.write("after a restart of all", to: writer)
                try await told.wait(for: "after-a-restart-of-all")
            }
        }
    }

    @Test(.timeLimit(.minutes(10))) func whereHistoryWasThrownAwayEverythingIsToldAnew() async throws {
        try await EtcdBench.withCluster { cluster in
            let bench = try await EtcdBench(cluster)
            let writer = try await bench.open()
            _ = try await writer.write(SampleRecords.client("before"), expecting: nil)
            try await Told.by(bench, atFirstMemberOnly: true) { told in
                try await told.wait(for: "before")
                cluster.killFirst()
                for words in ["meanwhile", "and again"] { try await Self.write(words, to: writer) }
                try cluster.compact()
                told.forget()
                try await cluster.revive()
                try await told.wait(for: "meanwhile")
                try await told.wait(for: "before")
            }
        }
    }

    @Test func whoMayNotReadIsToldSo() async throws {
        try await EtcdBench.withCluster { cluster in
            let bench = try await EtcdBench(cluster)
            var reach = bench.place.reach
            reach.credential = SecretValue(copying: "wrong".utf8)
            let store = try EtcdStore(bench.place.url, reach)
            let error = await failure { for try await _ in store.changedRecords() {} }
            #expect(error?.code == .locked)
        }
    }

    /// Stores a new client; where the cluster has no leader at the moment, as often as it takes.
    private static func write(_ words: String, to vault: any Vault) async throws {
        let client = SampleRecords.client(words.replacing(" ", with: "-"))
        for _ in 0..<10 {
            do {
                _ = try await vault.write(client, expecting: nil)
                return
            } catch {
                guard error.code == .unavailable || error.code == .conflict else { throw error }
                if (try? await vault.read(client.name)) != nil { return }
            }
        }
        Issue.record("\(words) could not be stored")
    }
}

/// The names that a watch has told.
private final class Told: Sendable {
    private let names = Mutex<Set<String>>([])

    /// Watches the vault for as long as the body runs.
    static func by(
        _ bench: EtcdBench, atFirstMemberOnly isAlone: Bool = false, _ body: (Told) async throws -> Void
    ) async throws {
        let location = bench.place.url.location
        let first = location.prefix { $0 != "," } + bench.cluster.prefix(of: bench.place)
        let url = isAlone ? VaultURL(scheme: "etcd", location: String(first)) : bench.place.url
        let store = try EtcdStore(url, bench.place.reach, silence: .seconds(1))
        let vault = try await EntryVault.open(store, bench.access)
        let told = Told()
        let watching = Task {
            for try await name in vault.changes() { told.names.withLock { _ = $0.insert(name.description) } }
        }
        defer { watching.cancel() }
        try await body(told)
    }

    func forget() { names.withLock { $0 = [] } }

    func wait(for name: String) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while !names.withLock({ $0.contains(name) }) {
            try #require(ContinuousClock.now < end, "\(name) was not told")
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

extension EtcdCluster {
    /// Throws away the history up to now.
    fileprivate func compact() throws {
        struct Answer: Decodable {
            struct Header: Decodable { let revision: Int64 }
            let header: Header
        }
        let said = try control(["get", "/tests/none", "-w", "json"])
        let revision = try #require(StoreJSON.object(Answer.self, from: Array(said.utf8))).header.revision
        try control(["compaction", String(revision)])
    }
}

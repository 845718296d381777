import KeyoverConformance
import KeyoverCore
import KeyoverVaults
import Synchronization
import Testing
import VaultServers

/// What a vault in etcd does while members of the cluster are lost.
@Suite(.serialized) struct EtcdFailoverTests {
    private static let patience = TimeSpan.seconds(5)

    @Test(arguments: ["the first", "the leader"])
    func aFrozenMemberStopsNobody(which: String) async throws {
        try await EtcdBench.withCluster { cluster in
            let bench = try await EtcdBench(cluster, patience: Self.patience)
            let before = try await bench.open()
            let client = SampleRecords.client("billing")
            let revision = try await before.write(client, expecting: nil)
            if which == "the first" { try await cluster.freeze() } else { try cluster.freezeLeader() }

            // A handle with connections to the frozen member, and one that has none yet.
            try await Self.repeatingWhileUnavailable { _ = try await before.read(client.name) }
            let after = try await Self.repeatingWhileUnavailable { try await bench.open() }
            let found = try #require(try await Self.repeatingWhileUnavailable { try await after.read(client.name) })
            #expect(found.revision == revision)
            let next = try await after.write(client, expecting: revision)
            #expect(next != revision)
            try await cluster.thaw()
            #expect(try await before.read(client.name)?.revision == next)
        }
    }

    /// What an election may take; each attempt is bounded by itself.
    @discardableResult
    private static func repeatingWhileUnavailable<Result>(
        _ body: () async throws -> Result
    ) async throws -> Result {
        var attempt = 1
        while true {
            let start = ContinuousClock.now
            do {
                return try await body()
            } catch {
                #expect(start.duration(to: .now) < (patience + .seconds(2)).duration)
                guard (error as? VaultError)?.code == .unavailable, attempt < 3 else { throw error }
                attempt += 1
            }
        }
    }

    @Test func withoutAQuorumEverythingIsUnavailableInTime() async throws {
        try await EtcdBench.withCluster { cluster in
            let bench = try await EtcdBench(cluster)
            let vault = try await bench.open()
            let client = SampleRecords.client("billing")
            let revision = try await vault.write(client, expecting: nil)
            cluster.freezeQuorum()
            for call in ["read", "write", "list", "open"] {
                let start = ContinuousClock.now
                let error = await failure {
                    switch call {
                    case "read": _ = try await vault.read(client.name)
                    case "write": _ = try await vault.write(client, expecting: revision)
                    case "list": _ = try await vault.summaries(ClientRecord.self)
                    default: _ = try await bench.open()
                    }
                }
                #expect(error?.code == .unavailable, "\(call)")
                #expect(error?.isRetryable == true && error?.remedy != nil, "\(call)")
                #expect(start.duration(to: .now) < .seconds(8), "\(call)")
            }
            try await cluster.thaw()
            let found = try #require(try await Self.repeatingWhileUnavailable { try await vault.read(client.name) })
            #expect(found.record == client)
        }
    }

    @Test func anAbsentClusterIsUnavailableAtOnce() async throws {
        try await EtcdBench.withCluster { cluster in
            let bench = try await EtcdBench(cluster)
            let vault = try await bench.open()
            cluster.killAll()
            let start = ContinuousClock.now
            let error = await failure { _ = try await vault.read(SampleRecords.client("billing").name) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("127.0.0.1:") == true)
            #expect(start.duration(to: .now) < .seconds(3))
            try await cluster.revive()
            #expect(try await vault.read(SampleRecords.client("billing").name) == nil)
        }
    }

    @Test(.timeLimit(.minutes(10))) func noAcknowledgedWriteIsLostAndNoneAppliedTwiceWhileLeadersDie() async throws {
        try await EtcdBench.withCluster { cluster in
            let bench = try await EtcdBench(cluster, patience: Self.patience)
            let first = try await bench.open()
            let tenant = SampleRecords.tenant("shared")
            _ = try await first.write(tenant, expecting: nil)
            let acknowledged = Acknowledged()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<4 {
                    group.addTask {
                        let vault = try await bench.open()
                        for step in 0..<15 {
                            try await Self.add("w\(worker)-\(step)", to: tenant.name, in: vault)
                            acknowledged.add("w\(worker)-\(step)")
                        }
                    }
                }
                group.addTask {
                    for threshold in [10, 35] {
                        while acknowledged.words.count < threshold {
                            try await Task.sleep(for: .milliseconds(5))
                        }
                        try await cluster.kill()
                        try await cluster.waitUntilHealthy()
                        try await cluster.revive()
                    }
                }
                try await group.waitForAll()
            }
            let found = try #require(try await first.read(tenant.name)).record
            let added = found.settings.keys.filter { $0.hasPrefix("w") }
            #expect(acknowledged.words == Set(added))
            let records = try bench.storedKeys("records")
            #expect(records.count == 1)
            let versions = try records.map { try cluster.control(["get", $0, "-w", "fields"]) }
            let expected = "\"Version\" : \(added.count + 1)\n"
            #expect(versions.allSatisfy { $0.contains(expected) }, "each change was applied once")
        }
    }

    /// Adds a word to what a record holds, however often the record changes meanwhile or the cluster is away.
    private static func add(_ word: String, to name: TenantName, in vault: any Vault) async throws {
        let end = ContinuousClock.now + .seconds(90)
        while ContinuousClock.now < end {
            do {
                guard let found = try await vault.read(name) else { throw VaultError(.missing, "the record is gone") }
                if found.record.settings[word] != nil { return }
                var record = found.record
                record.settings[word] = "x"
                _ = try await vault.write(record, expecting: found.revision)
                return
            } catch {
                let code = (error as? VaultError)?.code
                guard code == .conflict || code == .unavailable else { throw error }
            }
        }
        throw VaultError(.unavailable, "\(word) could not be stored")
    }
}

/// What was stored for certain.
private final class Acknowledged: Sendable {
    private let state = Mutex<Set<String>>([])

    var words: Set<String> { state.withLock { $0 } }

    func add(_ word: String) { state.withLock { _ = $0.insert(word) } }
}

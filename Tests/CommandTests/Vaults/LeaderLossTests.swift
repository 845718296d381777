import FoundationEssentials
import KeyoverCore
import KeyoverSandbox
import Synchronization
import Testing
import VaultServers

/// Many rotations on two hosts, while the cluster that keeps their vault loses its leader.
@Suite struct LeaderLossTests {
    private static let clientCount = 50
    private static let workersOfAHost = 4

    @Test(.timeLimit(.minutes(5))) func fiftyClientsAreRotatedWhileTheLeaderIsKilledTwice() async throws {
        try await TwoHosts.run(clientCount: Self.clientCount) { hosts in
            let readers = VaultReaders(hosts)
            let queue = RotationQueue(hosts.clients.map(\.name))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await readers.read(hosts.clients.filter { $0.name.hasSuffix("1") }.map(\.name)) }
                group.addTask { try await readers.read(hosts.clients.filter { $0.name.hasSuffix("2") }.map(\.name)) }
                group.addTask { try await readers.read(hosts.clients.filter { $0.name.hasSuffix("0") }.map(\.name)) }
                defer { readers.stop() }
                try await withThrowingTaskGroup(of: Void.self) { work in
                    for number in 0..<2 * Self.workersOfAHost {
                        work.addTask { try await queue.work(on: hosts.hosts[number % 2]) }
                    }
                    work.addTask {
                        for threshold in [6, 26] {
                            try await eventually("\(threshold) rotations", within: .seconds(180)) {
                                queue.endedCount >= threshold
                            }
                            try await hosts.cluster.kill()
                            // The others go on without it; only then it comes back.
                            try await hosts.cluster.waitUntilHealthy()
                            try await hosts.cluster.revive()
                        }
                    }
                    try await work.waitForAll()
                }
                try await resumeWhatWasInterrupted(queue, hosts)
            }
            #expect(readers.refusals.isEmpty, "of \(readers.uses) uses")
            #expect(readers.uses > Self.clientCount)
            try await expectInvariants(hosts)
        }
    }

    /// Each rotation that did not complete says so, and `resume`, on the other host as well, brings it to its end.
    private func resumeWhatWasInterrupted(_ queue: RotationQueue, _ hosts: TwoHosts) async throws {
        for (name, first) in queue.unfinished {
            #expect([5, 6, 7, 8].contains(first.exitCode), "\(name): \(first.ending) \(first.errors)")
            #expect(first.errors.contains("keyover") == true, "\(name): \(first.errors)")
            var last = first
            for attempt in 0..<3 where last.exitCode != 0 {
                last = try await hosts.hosts[attempt % 2].run("rotate", name, "--wait", "60s")
            }
            #expect(last.exitCode == 0, "\(name): \(last.errors)")
        }
    }

    private func expectInvariants(_ hosts: TwoHosts) async throws {
        let vault = try await hosts.vault()
        for (name, firstSecret) in hosts.clients {
            let client = try #require(ClientName(name))
            let record = try #require(try await vault.read(client)).record
            #expect(record.rotation == nil && record.outbox.isEmpty, "\(name) is at rest")
            #expect(record.lastRotation?.outcome == .completed)
            let stats = try hosts.server.stats(clientID: name)
            let present = stats.secrets.filter { $0.status != "DELETED" }
            #expect(
                present.map(\.id) == [record.primary.secretID?.description], "\(name): the vault knows what there is")
            #expect(record.owned.map(\.secretID.description) == present.map(\.id))
            #expect(
                stats.writes[.add, default: 0] == stats.writes[.delete, default: 0], "one secret remains of \(name)")
            let secret = try #require(record.activeSlot.value).withUnsafeSecretBytes {
                String(decoding: $0, as: UTF8.self)
            }
            let consumer = Consumer(server: hosts.server, client: name)
            #expect(try await !consumer.use(secret).isRefused)
            #expect(try await consumer.use(firstSecret).isRefused, "the old secret of \(name) is dead")
        }
        for host in hosts.hosts {
            for check in [["log", "--verify"], ["vault", "verify"]] {
                let result = try await host.start(check).finish()
                #expect(result.exitCode == 0, "\(check): \(result.output)\(result.errors)")
            }
        }
        try await expectNotes(hosts, vault)
    }

    /// The logs of both hosts together have every entry of every client's history.
    private func expectNotes(_ hosts: TwoHosts, _ vault: any Vault) async throws {
        struct Line: Decodable {
            struct Entry: Decodable {
                let client: String
                let sequence: UInt64
                let action: String
            }

            let entry: Entry
        }
        let entries = hosts.hosts.flatMap { $0.auditLines() }
            .compactMap { try? JSONDecoder().decode(Line.self, from: Data($0.utf8)).entry }
        for (name, _) in hosts.clients {
            let client = try #require(ClientName(name))
            let record = try #require(try await vault.read(client)).record
            let own = entries.filter { $0.client == name }
            #expect(Set(own.map(\.sequence)) == Set(1...record.auditSequence), "the log of \(name) is complete")
            #expect(own.contains { $0.action == "rotation.completed" })
        }
    }
}

/// Clients that are to be rotated, handed to whoever is free, and what became of each.
private final class RotationQueue: Sendable {
    private struct State {
        var waiting: [String]
        var results: [String: KeyoverProcess.Result] = [:]
    }

    private let state: Mutex<State>

    init(_ names: [String]) { state = Mutex(State(waiting: names)) }

    var endedCount: Int { state.withLock { $0.results.count } }

    /// The clients whose rotation did not complete.
    var unfinished: [(String, KeyoverProcess.Result)] {
        state.withLock { $0.results.filter { $0.value.exitCode != 0 }.sorted { $0.key < $1.key } }
    }

    /// Rotates one client after the other on a host, until none is left.
    func work(on host: KeyoverHome) async throws {
        while let name = state.withLock({ $0.waiting.popLast() }) {
            let result = try await host.run("rotate", name, "--wait", "60s")
            state.withLock { $0.results[name] = result }
        }
    }
}

extension KeyoverHome {
    /// The lines of the audit log.
    fileprivate func auditLines() -> [Substring] {
        let folder = "state/keyover/audit/"
        return files().filter { $0.key.hasPrefix(folder) }.flatMap {
            String(decoding: $0.value, as: UTF8.self).split(separator: "\n")
        }
    }
}

import Foundation
import KeyoverConformance
import KeyoverCore
import KeyoverVaults
import Testing
import VaultServers

/// Answers of one member while there is no quorum: only where they are allowed, and never older than allowed.
@Suite struct EtcdStaleTests {
    @Test func aMemberAnswersAloneOnlyWithinTheBound() async throws {
        // Where there are users, only who has signed in already is answered: signing in takes a quorum.
        try await EtcdBench.withCluster(users: false) { cluster in
            let bench = try await EtcdBench(cluster, query: "?stale=1m")
            let client = SampleRecords.client("billing")
            let writer = try await bench.open()
            _ = try await writer.write(client, expecting: nil)
            #expect((writer as? any StaleReadingVault)?.longestStaleness == .minutes(1))
            #expect((writer as? any StaleReadingVault)?.staleness == nil)
            cluster.freezeQuorum()

            let refused = await failure { _ = try await bench.open() }
            #expect(refused?.code == .unavailable, "nobody gets an old answer who has not asked for it")

            let reader = try await bench.open { $0.reach.acceptsStale = true }
            #expect(try await reader.read(client.name)?.record == client)
            let age = try #require((reader as? any StaleReadingVault)?.staleness)
            #expect(age > .zero && age <= .minutes(1))

            let stranger = await failure {
                _ = try await bench.open {
                    $0.reach.acceptsStale = true
                    $0.reach.stateDirectory = bench.scratch.path + "/elsewhere"
                }
            }
            #expect(stranger?.code == .unavailable, "a host that never reached the quorum knows nothing of its age")

            let contact = try Contact(in: bench.scratch.path + "/state")
            for (what, change) in Contact.harms {
                try contact.write(change)
                let error = await failure { _ = try await bench.open { $0.reach.acceptsStale = true } }
                #expect(error?.code == .unavailable, "\(what)")
            }
            try contact.write { _ in }
            _ = try await bench.open { $0.reach.acceptsStale = true }
        }
    }

    @Test func withoutTheSettingNoAnswerIsStale() async throws {
        try await EtcdBench.withCluster { cluster in
            let bench = try await EtcdBench(cluster)
            let vault = try await bench.open()
            #expect((vault as? any StaleReadingVault)?.longestStaleness == .zero)
            cluster.freezeQuorum()
            let error = await failure { _ = try await bench.open { $0.reach.acceptsStale = true } }
            #expect(error?.code == .unavailable)
            let names = try FileManager.default.contentsOfDirectory(atPath: bench.scratch.path)
            #expect(!names.contains { $0.hasPrefix("etcd-") })
        }
    }
}

/// The file in which a host keeps its last contact with a quorum.
private struct Contact {
    typealias Change = @Sendable (inout [String: Any]) -> Void

    /// What must make every answer of one member count as too old.
    static let harms: [(String, Change)] = [
        ("two minutes ago by the boot clock", { back(&$0, "sinceBoot") }),
        ("two minutes ago by the wall clock", { back(&$0, "wall") }),
        (
            "from before a restart of the host",
            { $0["askedAt"] = ($0["askedAt"] as? [String: Any])?.merging(["bootID": "another"]) { $1 } }
        ),
        ("when the quorum had more than the member", { $0["revision"] = 1_000_000 }),
        ("of another cluster", { $0["cluster"] = "1" }),
    ]

    private let path: String
    private let original: [String: Any]

    init(in stateDirectory: String) throws {
        let folder = try #require(
            FileManager.default.contentsOfDirectory(atPath: stateDirectory).first { $0.hasPrefix("etcd-") })
        path = "\(stateDirectory)/\(folder)/contact"
        let data = try Data(contentsOf: URL(filePath: path))
        original = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    func write(_ change: (inout [String: Any]) -> Void) throws {
        var contact = original
        change(&contact)
        try writePrivately(JSONSerialization.data(withJSONObject: contact), to: path)
    }

    private static func back(_ contact: inout [String: Any], _ clock: String) {
        guard var reading = contact["askedAt"] as? [String: Any] else { return }
        switch reading[clock] {
        case let number as NSNumber: reading[clock] = number.int64Value - 120_000
        case let text as String:
            if let time = Timestamp(text) { reading[clock] = (time - .minutes(2)).description }
        default: break
        }
        contact["askedAt"] = reading
    }
}

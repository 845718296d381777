import Foundation
import KeyoverConformance
import KeyoverCore
import Testing
import VaultServers

@testable import KeyoverVaults

/// Whoever else may write under the prefix changes nothing unnoticed, and learns nothing.
@Suite struct EtcdTamperingTests {
    @Test func anOlderASwappedAndADeletedEntryAreRefused() async throws {
        try await EtcdBench.withCluster { cluster in
            let bench = try await EtcdBench(cluster)
            let store = try EtcdStore(bench.place.url, bench.place.reach)
            let vault = try await EntryVault.open(store, bench.access)
            let (one, two) = (SampleRecords.client("one"), SampleRecords.client("two", number: 2))
            let places = [EntryName.record(vault.place(one.name)), .record(vault.place(two.name))]
            let revision = try await vault.write(one, expecting: nil)
            _ = try await vault.write(two, expecting: nil)
            let old = try #require(try await store.entry(places[0]))
            _ = try await vault.write(one, expecting: revision)
            let present = try #require(try await store.entry(places[0]))
            let other = try #require(try await store.entry(places[1]))

            func harm(_ what: String, _ bytes: [UInt8]) async throws {
                let stored = try await store.entry(places[0])
                try await store.put(Entry(places[0], bytes), expecting: stored?.version, while: nil)
                let error = await failure { _ = try await bench.open().read(one.name) }
                #expect(error?.code == .notTrusted, "\(what)")
            }
            try await harm("an older entry", old.bytes)
            try await harm("another client's entry", other.bytes)
            try await harm("a truncated entry", Array(present.bytes.dropLast()))
            try await harm("nothing in it", [])
            try cluster.control(["del", String(decoding: store.keys.key(places[0]), as: UTF8.self)])
            let gone = await failure { _ = try await bench.open().read(one.name) }
            #expect(gone?.code == .notTrusted)
            let listed = await failure { _ = try await bench.open().summaries(ClientRecord.self) }
            #expect(listed?.code == .notTrusted)
            try await store.put(Entry(places[0], present.bytes), expecting: nil, while: nil)
            #expect(try await bench.open().read(one.name)?.record == one)
        }
    }

    @Test func nothingIsReadableInKeysOrOnDisk() async throws {
        try await EtcdBench.withCluster { cluster in
            let bench = try await EtcdBench(cluster)
            let vault = try await bench.open()
            let client = SampleRecords.client("conspicuous-name", secret: "conspicuous-secret")
            _ = try await vault.write(client, expecting: nil)
            try await vault.acknowledge(SampleRecords.report("conspicuous-web", generation: 1), of: client.name)
            let keys = try bench.storedKeys("")
            #expect(keys.count == 3)
            for folder in bench.place.storage {
                var fileCount = 0
                for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
                    guard let data = try? Data(contentsOf: URL(filePath: "\(folder)/\(name)")) else { continue }
                    fileCount += 1
                    #expect(data.range(of: Data("conspicuous".utf8)) == nil, "\(name)")
                    #expect(data.range(of: Data("conspicuous-secret".utf8).base64EncodedData().dropLast(3)) == nil)
                }
                #expect(fileCount >= 2)
            }
            #expect(keys.allSatisfy { !$0.contains("conspicuous") })
        }
    }
}

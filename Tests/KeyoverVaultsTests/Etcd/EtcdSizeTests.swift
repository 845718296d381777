import KeyoverConformance
import KeyoverCore
import KeyoverVaults
import Testing
import VaultServers

/// How much fits into a cluster's entries and into one answer of it.
@Suite struct EtcdSizeTests {
    @Test func whatEtcdDoesNotTakeIsRefusedAndChangesNothing() async throws {
        try await EtcdBench.withCluster { cluster in
            let vault = try await EtcdBench(cluster).open()
            var client = SampleRecords.client("large", secret: String(repeating: "x", count: 1 << 20))
            let revision = try await vault.write(client, expecting: nil)
            let present = client
            client.secondary = client.primary
            for size in [1 << 20, 800_000] {
                client.secondary?.value = SecretValue(copying: [UInt8](repeating: 0x79, count: size))
                let error = await failure { _ = try await vault.write(client, expecting: revision) }
                #expect(error?.code == .tooLarge)
                #expect(error?.remedy?.contains("--max-request-bytes") == true)
            }
            let found = try #require(try await vault.read(client.name))
            #expect(found.record == present && found.revision == revision)
        }
    }

    @Test func entriesOfAllSizesAreListed() async throws {
        try await EtcdBench.withCluster { cluster in
            let vault = try await EtcdBench(cluster).open()
            var names: Set<String> = []
            for number in 0..<80 {
                // Large ones come in between, so that pages have to shrink and grow.
                let size = number.isMultiple(of: 9) ? 1 << 20 : 10
                let client = SampleRecords.client(
                    "client-\(number)", secret: String(repeating: "x", count: size), number: UInt64(number))
                _ = try await vault.write(client, expecting: nil)
                names.insert(client.name.description)
            }
            let listed = try await vault.summaries(ClientRecord.self).map { $0.record.name.description }
            #expect(listed.count == names.count && Set(listed) == names)
        }
    }
}

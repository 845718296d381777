import Foundation
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing
import VaultServers

/// What any client of the server reads, and what is left there of retired secrets.
@Suite struct KVPlainTests {
    @Test func theStockProgramReadsTheActiveSecretWhereTheDocsSay() async throws {
        let specimen = try await KVSpecimen()
        var client = SampleRecords.client("billing-sync", secret: #"it's "a" $ecret\ü"#)
        client.registration.tokenURL = "https://login.example.org/token"
        _ = try await specimen.vault.write(client, expecting: nil)
        func field(_ name: String) throws -> String {
            try specimen.server.stock([
                "kv", "get", "-mount=secret", "-field=\(name)", "\(specimen.prefix)/clients/billing-sync",
            ])
        }
        #expect(try field("client_secret") == #"it's "a" $ecret\ü"#)
        #expect(try field("client_id") == "id-of-billing-sync")
        #expect(try field("generation") == "1")
        #expect(try field("token_url") == "https://login.example.org/token")
    }

    @Test func onlyTheNewestVersionGivesOutASecret() async throws {
        let specimen = try await KVSpecimen()
        var client = SampleRecords.client("billing-sync", secret: "first")
        var revision = try await specimen.vault.write(client, expecting: nil)
        // The cut-over, and the write that says that the rotation is over.
        client.primary.value = SecretValue(copying: "second".utf8)
        client.generation = 2
        revision = try await specimen.vault.write(client, expecting: revision)
        revision = try await specimen.vault.write(client, expecting: revision)
        #expect(try await specimen.readableSecrets("clients/billing-sync") == [3: "second"])
        try await specimen.vault.delete(client.name, expecting: revision)
        #expect(try await specimen.readableSecrets("clients/billing-sync") == [4: nil])
        #expect(try await specimen.vault.read(client.name) == nil)
    }

    @Test func oldVersionsThatACrashLeftAreToldAndGoneWithTheNextWrite() async throws {
        let specimen = try await KVSpecimen()
        var client = SampleRecords.client("billing-sync", secret: "first")
        let revision = try await specimen.vault.write(client, expecting: nil)
        // The same again on top, as a writer leaves it that ends before it destroys what it replaced.
        let entry = specimen.path("data", "clients/billing-sync")
        let fields = try await specimen.server.root.must(.get, entry)["data", "data"]
        let record = try #require(fields?["keyover_record"]?.text)
        try await specimen.server.root.must(
            .post, entry,
            #"{"data": {"client_id": "id-of-billing-sync", "client_secret": "first", "generation": "1", "keyover_record": ""#
                + record + #""}}"#)
        let found = try await specimen.kvVault.verify().findings
        #expect(found.count == 1)
        #expect(found.first?.message.contains("1 old version") == true)
        #expect(found.first?.remedy.contains("bao kv destroy -versions=1") == true)
        client.primary.value = SecretValue(copying: "second".utf8)
        _ = try await specimen.vault.write(client, expecting: revision)
        #expect(try await specimen.readableSecrets("clients/billing-sync") == [3: "second"])
        #expect(try await specimen.kvVault.verify().isSound)
    }

    @Test func aChangedPlainFieldFoolsNobodyWhoAsksKeyover() async throws {
        let specimen = try await KVSpecimen()
        let client = SampleRecords.client("billing-sync", secret: "genuine")
        let revision = try await specimen.vault.write(client, expecting: nil)
        _ = try specimen.server.stock([
            "kv", "patch", "-mount=secret", "\(specimen.prefix)/clients/billing-sync",
            "client_secret=forged",
        ])
        let found = try await specimen.vault.read(client.name)
        #expect(found?.record == client)
        let messages = try await specimen.kvVault.verify().findings.map(\.message)
        #expect(messages.contains { $0.contains("clients/billing-sync gives out something else") })
        #expect(!messages.contains { $0.contains("forged") || $0.contains("genuine") })
        _ = try await specimen.vault.write(client, expecting: revision)
        #expect(
            try await specimen.readableSecrets("clients/billing-sync").values.map { $0 } == ["genuine"])
    }

    @Test func readersOfThePlainSecretSeeOneGenerationWhole() async throws {
        let specimen = try await KVSpecimen()
        var client = SampleRecords.client("billing-sync", secret: "secret-1")
        var revision = try await specimen.vault.write(client, expecting: nil)
        let entry = specimen.path("data", "clients/billing-sync")
        let reading = Task { [root = specimen.server.root] in
            var seen: [(generation: Int, secret: String)] = []
            while !Task.isCancelled {
                let fields = try await root.must(.get, entry)["data", "data"]
                let generation = try #require(fields?["generation"]?.text.flatMap { Int($0) })
                seen.append((generation, try #require(fields?["client_secret"]?.text)))
                if generation == 15 { break }
            }
            return seen
        }
        defer { reading.cancel() }
        for generation in 2...15 {
            client.generation = UInt64(generation)
            client.primary.value = SecretValue(copying: "secret-\(generation)".utf8)
            revision = try await specimen.vault.write(client, expecting: revision)
        }
        let seen = try await reading.value
        #expect(seen.allSatisfy { $0.secret == "secret-\($0.generation)" })
        #expect(seen.map(\.generation) == seen.map(\.generation).sorted())
    }

    @Test func keysThatWereReplacedAreGoneFromTheHistoryToo() async throws {
        let specimen = try await KVSpecimen()
        _ = try await specimen.vault.write(SampleRecords.client("billing-sync", secret: "hush"), expecting: nil)
        _ = try await specimen.metadataHandle()
        let vault = try await specimen.reopened()
        let mine = try VaultAudience(full: vault.audience.full, metadataOnly: [])
        let pin = try await vault.rekey(for: mine, passphrase: nil, marking: nil) { _ in }
        let old = await failure {
            _ = try await KVSpecimen.open(specimen.place.url, specimen.place.reach, [specimen.auditor], nil)
        }
        #expect(old?.code == .locked)
        for entry in ["keyover/keys", "keyover/metadata-keys", "clients/billing-sync"] {
            #expect(try await specimen.readableSecrets(entry).count == 1, "\(entry)")
        }
        // The place of what was removed is used again.
        let next = try await KVSpecimen.open(specimen.place.url, specimen.place.reach, [specimen.identity], pin)
        try await next.grant(to: VaultAudience(full: mine.full, metadataOnly: [.key(specimen.auditor.recipient)]))
        let audited = try await KVSpecimen.open(specimen.place.url, specimen.place.reach, [specimen.auditor], pin)
        #expect(try await audited.summaries(ClientRecord.self).count == 1)
    }

    @Test func noSecretLiesInTheServersStorage() async throws {
        let specimen = try await KVSpecimen()
        let secret = "needle-\(UUID().uuidString)"
        _ = try await specimen.vault.write(
            SampleRecords.client("billing-sync", secret: secret), expecting: nil)
        for folder in specimen.place.storage {
            for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
                guard let content = FileManager.default.contents(atPath: "\(folder)/\(name)") else {
                    continue
                }
                #expect(content.range(of: Data(secret.utf8)) == nil, "the secret lies in \(name)")
            }
        }
    }
}

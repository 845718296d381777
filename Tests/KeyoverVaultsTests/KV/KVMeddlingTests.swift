import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing
import VaultServers

/// What somebody does to an entry with the server's own interface: refused or noticed, never taken for "nothing there".
@Suite struct KVMeddlingTests {
    private let client = SampleRecords.client("billing-sync")

    @Test func aDeletedEntryIsNoticedAndComesBack() async throws {
        let specimen = try await KVSpecimen()
        let revision = try await specimen.vault.write(client, expecting: nil)
        try await specimen.server.root.must(.delete, specimen.path("data", "clients/billing-sync"))
        // A handle that never saw the entry must not take it for absent either.
        for vault in [specimen.kvVault, try await specimen.reopened()] {
            let reading = await failure { _ = try await vault.read(client.name) }
            #expect(reading?.code == .notTrusted)
            #expect(reading?.remedy?.contains("bao kv undelete -versions=1 -mount=secret") == true)
            let creating = await failure { _ = try await vault.write(client, expecting: nil) }
            #expect(creating?.code == .notTrusted)
            let listing = await failure { _ = try await vault.summaries(ClientRecord.self) }
            #expect(listing?.code == .notTrusted)
        }
        try await specimen.server.root.must(
            .post, specimen.path("undelete", "clients/billing-sync"), #"{"versions": [1]}"#)
        #expect(try await specimen.vault.read(client.name)?.revision == revision)
    }

    @Test func aDeletionBetweenReadingAndWritingIsNotWrittenOver() async throws {
        let specimen = try await KVSpecimen()
        _ = try await specimen.vault.write(client, expecting: nil)
        let store = try await KVBackend.store(specimen.place.url, specimen.place.reach)
        let present = try #require(try await store.entry(.keys))
        try await specimen.server.root.must(.delete, specimen.path("data", "keyover/keys"))
        let error = await failure {
            try await store.put(Entry(.keys, present.bytes), expecting: present.version, while: nil)
        }
        #expect(error?.code == .notTrusted)
    }

    @Test func aDestroyedEntryIsNoticed() async throws {
        let specimen = try await KVSpecimen()
        _ = try await specimen.vault.write(client, expecting: nil)
        try await specimen.server.root.must(
            .post, specimen.path("destroy", "clients/billing-sync"), #"{"versions": [1]}"#)
        let error = await failure { _ = try await specimen.reopened().read(client.name) }
        #expect(error?.code == .notTrusted)
        #expect(error?.message.contains("was destroyed, and not by Keyover") == true)
    }

    @Test func anOlderVersionPutBackIsRefused() async throws {
        let specimen = try await KVSpecimen()
        let first = try await specimen.vault.write(client, expecting: nil)
        let path = specimen.path("data", "clients/billing-sync")
        let old = try #require(
            try await specimen.server.root.must(.get, path)["data", "data", "keyover_record"]?.text)
        _ = try await specimen.vault.write(client, expecting: first)
        try await specimen.server.root.must(.post, path, "{\"data\": {\"keyover_record\": \"\(old)\"}}")
        let error = await failure { _ = try await specimen.vault.read(client.name) }
        #expect(error?.code == .notTrusted)
        #expect(try await !specimen.kvVault.verify().isSound)
    }

    @Test func anEntryThatTheEngineForgotIsMissedAndItsNumbersAreNotTakenForTheOldOnes() async throws {
        let specimen = try await KVSpecimen()
        let store = try await KVBackend.store(specimen.place.url, specimen.place.reach)
        let revision = try await specimen.vault.write(client, expecting: nil)
        let path = specimen.path("data", "clients/billing-sync")
        let old = try #require(
            try await specimen.server.root.must(.get, path)["data", "data", "keyover_record"]?.text)
        let name = EntryName.keys
        let keys = try #require(try await store.entry(name))
        try await specimen.server.root.must(.delete, specimen.path("metadata", "clients/billing-sync"))
        let reading = await failure { _ = try await specimen.vault.read(client.name) }
        #expect(reading?.code == .notTrusted)
        let writing = await failure { _ = try await specimen.vault.write(client, expecting: revision) }
        #expect(writing?.code == .notTrusted)
        // The same number again, made by somebody else: it is not the version that was read.
        try await specimen.server.root.must(.post, path, "{\"data\": {\"keyover_record\": \"\(old)\"}}")
        let keysPath = specimen.path("data", "keyover/keys")
        let keysRecord = try #require(
            try await specimen.server.root.must(.get, keysPath)["data", "data", "keyover_record"]?.text)
        try await specimen.server.root.must(.delete, specimen.path("metadata", "keyover/keys"))
        try await specimen.server.root.must(
            .post, keysPath, "{\"data\": {\"keyover_record\": \"\(keysRecord)\"}}")
        let again = await failure {
            try await store.put(Entry(name, keys.bytes), expecting: keys.version, while: nil)
        }
        #expect(again?.code == .conflict)
    }

    @Test(arguments: [
        #"{"data": {"client_secret": "x"}}"#, #"{"data": {"keyover_record": "!"}}"#,
        #"{"data": {"keyover_record": "AAAA"}}"#,
        #"{"data": {"keyover_record": 7}}"#, #"{"data": {}}"#,
    ]) func whatIsNoRecordIsRefused(body: String) async throws {
        let specimen = try await KVSpecimen()
        _ = try await specimen.vault.write(client, expecting: nil)
        try await specimen.server.root.must(.post, specimen.path("data", "clients/billing-sync"), body)
        for vault in [specimen.kvVault, try await specimen.reopened()] {
            let error = await failure { _ = try await vault.read(client.name) }
            #expect(error?.code == .notTrusted)
        }
    }

    @Test func oneClientsEntryInThePlaceOfAnotherIsRefused() async throws {
        let specimen = try await KVSpecimen()
        _ = try await specimen.vault.write(client, expecting: nil)
        _ = try await specimen.vault.write(SampleRecords.client("other", number: 2), expecting: nil)
        let other = try #require(
            try await specimen.server.root.must(.get, specimen.path("data", "clients/other"))[
                "data", "data", "keyover_record"]?.text)
        try await specimen.server.root.must(
            .post, specimen.path("data", "clients/billing-sync"),
            "{\"data\": {\"keyover_record\": \"\(other)\"}}")
        let error = await failure { _ = try await specimen.reopened().read(client.name) }
        #expect(error?.code == .notTrusted)
    }

    @Test func whatOthersKeepBesideTheClientsIsLeftAlone() async throws {
        let specimen = try await KVSpecimen()
        _ = try await specimen.vault.write(client, expecting: nil)
        for path in ["clients/folder/secret", "clients/no name", "keyover/records/short", "notes"] {
            let encoded = path.replacing(" ", with: "%20")
            try await specimen.server.root.must(
                .post, specimen.path("data", encoded), #"{"data": {"a": "b"}}"#)
        }
        #expect(
            try await specimen.vault.summaries(ClientRecord.self).map(\.record.name) == [client.name])
        #expect(try await specimen.kvVault.verify().isSound)
    }

    @Test func anEngineThatDeletesByItselfIsRefused() async throws {
        let server = try await SharedOpenBao.server
        try await server.mount("short-lived")
        try await server.root.must(.post, "short-lived/config", #"{"delete_version_after": "1h"}"#)
        let error = await creation("\(server.address)/short-lived/keyover", server)
        #expect(error?.code == .invalid)
        #expect(error?.remedy?.contains("delete_version_after=0s") == true)
    }

    @Test func anEngineOfVersionOneIsRefused() async throws {
        let server = try await SharedOpenBao.server
        try await server.root.must(
            .post, "sys/mounts/flat", #"{"type": "kv", "options": {"version": "1"}}"#)
        for mount in ["flat", "nowhere"] {
            let error = await creation("\(server.address)/\(mount)/keyover", server)
            #expect(error?.code == .missing)
            #expect(error?.remedy?.contains("bao secrets enable -path=\(mount) -version=2 kv") == true)
        }
    }

    private func creation(_ location: String, _ server: OpenBaoServer) async -> VaultError? {
        await failure {
            let token = try #require(server.root.token)
            let identity = try X25519Identity.generate()
            let reach = VaultReach(credential: SecretValue(copying: token.utf8), caFile: server.caFile)
            _ = try await KVBackend.create(
                VaultURL(scheme: "kv", location: location),
                VaultCreation(for: [identity.recipient], reach: reach))
        }
    }
}

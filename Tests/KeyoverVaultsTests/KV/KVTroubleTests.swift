import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing
import VaultServers

/// A server that is sealed, dead, frozen, or not one at all.
@Suite struct KVTroubleTests {
    private let client = SampleRecords.client("billing-sync")

    @Test func aSealedServerSaysHowToGoOn() async throws {
        let server = try await OpenBaoServer.start()
        let specimen = try await KVSpecimen(server)
        let revision = try await specimen.vault.write(client, expecting: nil)
        try await server.seal()
        let calls: [() async throws -> Void] = [
            { _ = try await specimen.vault.read(client.name) },
            { _ = try await specimen.vault.write(client, expecting: revision) },
            { _ = try await specimen.reopened() },
        ]
        for call in calls {
            let error = await failure { try await call() }
            #expect(error?.code == .unavailable && error?.isRetryable == true)
            #expect(error?.remedy?.contains("bao operator unseal") == true)
        }
        try await server.unseal()
        #expect(try await specimen.vault.read(client.name)?.revision == revision)
        await server.stop()
    }

    @Test func whatWasAcknowledgedSurvivesTheServersDeath() async throws {
        let server = try await OpenBaoServer.start()
        let specimen = try await KVSpecimen(server)
        let vault = specimen.kvVault
        let first = try await vault.write(client, expecting: nil)
        for round in 1...2 {
            let start = try #require(try await vault.read(client.name))
            let writing = Task { () -> UInt64 in
                var (record, revision) = (start.record, start.revision)
                var acknowledged = record.generation
                while true {
                    record.generation += 1
                    do {
                        revision = try await vault.write(record, expecting: revision)
                        acknowledged = record.generation
                    } catch let error as VaultError {
                        #expect(error.code == .unavailable, "\(error)")
                        return acknowledged
                    }
                }
            }
            let target = start.record.generation + 5
            while try await specimen.reopened().read(client.name)?.record.generation ?? 0 < target {}
            try await server.kill()
            let acknowledged = try await writing.value
            let down = await failure { _ = try await vault.read(client.name) }
            #expect(down?.code == .unavailable && down?.isRetryable == true)
            try await server.revive()
            let found = try #require(try await vault.read(client.name))
            #expect((acknowledged...acknowledged + 1).contains(found.record.generation), "round \(round)")
            #expect(found.revision != first)
            // Whatever it left unfinished, the next write leaves one version that can be read.
            _ = try await vault.write(found.record, expecting: found.revision)
            #expect(try await specimen.readableSecrets("clients/billing-sync").count == 1)
        }
        await server.stop()
    }

    @Test func aFrozenServerIsGivenUpInTime() async throws {
        let server = try await OpenBaoServer.start()
        let specimen = try await KVSpecimen(server)
        _ = try await specimen.vault.write(client, expecting: nil)
        var reach = specimen.place.reach
        reach.patience = .seconds(1)
        let vault = try await specimen.reopened(reach)
        try await server.freeze()
        let calls: [() async throws -> Void] = [
            { _ = try await vault.read(client.name) },
            { _ = try await vault.summaries(ClientRecord.self) },
            { _ = try await specimen.reopened(reach) },
        ]
        for call in calls {
            let start = ContinuousClock.now
            let error = await failure { try await call() }
            #expect(error?.code == .unavailable && error?.isRetryable == true)
            #expect(start.duration(to: .now) < .seconds(3))
        }
        try await server.thaw()
        #expect(try await vault.read(client.name) != nil)
        await server.stop()
    }

    @Test func aServerThatNobodyVouchesForGetsNoCredential() async throws {
        let specimen = try await KVSpecimen()
        var reach = specimen.place.reach
        reach.caFile = nil
        let error = await failure { _ = try await specimen.reopened(reach) }
        #expect(error?.code == .notTrusted)
        #expect(error?.remedy?.contains("ca_file") == true)
    }

    private static let lookup = KVImpostor.answer(200, #"{"data": {"ttl": 0, "renewable": false}}"#)

    /// What the store says of an impostor that lets everybody in and then answers so.
    private func answerToReading(
        _ said: [UInt8]?
    ) async throws -> (error: VaultError?, requests: [String]) {
        let impostor = try KVImpostor { line, _ in line.contains("lookup-self") ? Self.lookup : said }
        defer { impostor.stop() }
        let reach = VaultReach(patience: .seconds(2), credential: SecretValue(copying: "s.token".utf8))
        let url = VaultURL(
            scheme: "kv", location: "http://127.0.0.1:\(impostor.port)/secret/keyover?namespace=a/b")
        let store = try await KVBackend.store(url, reach)
        let start = ContinuousClock.now
        let error = await failure { _ = try await store.entry(.keys) }
        #expect(start.duration(to: .now) < .seconds(5))
        return (error, impostor.requests)
    }

    @Test(arguments: [
        "", "nothing", "[]", "{", "null", #"{"data": 7}"#, #"{"data": {"data": {}, "metadata": {}}}"#,
        #"{"data": {"data": {"keyover_record": "AAAA"}, "metadata": {"version": -1, "created_time": "", "deletion_time": "", "destroyed": false}}}"#,
        #"{"data": {"data": {"keyover_record": ["AAAA"]}}}"#,
        String(repeating: #"{"data":"#, count: 100_000), #"{"data": {"data": null}}"#,
    ]) func nonsenseIsRefused(body: String) async throws {
        let (error, requests) = try await answerToReading(KVImpostor.answer(200, body))
        #expect(
            error.map { [.notTrusted, .missing, .invalid].contains($0.code) } == true,
            "\(String(describing: error))")
        #expect(error?.remedy != nil)
        #expect(
            requests.allSatisfy {
                $0.contains("X-Vault-Request: true\r\n") && $0.contains("X-Vault-Namespace: a/b\r\n")
            })
    }

    @Test(arguments: [
        (301, "{}", VaultError.Code.unavailable), (400, "{}", .invalid), (405, "{}", .missing),
        (412, "{}", .unavailable),
        (413, "{}", .tooLarge), (429, "{}", .unavailable), (472, "{}", .invalid),
        (500, "{}", .unavailable),
        (500, #"{"errors": ["no space left on device"]}"#, .full), (502, "<html>", .unavailable),
        (503, #"{"errors": ["Vault is sealed"]}"#, .unavailable),
        (
            404, #"{"errors": ["no handler for route \"secret/data/x\". route entry not found."]}"#,
            .missing
        ),
        (404, "<html>nothing</html>", .notTrusted), (404, #"{"errors": ["something else"]}"#, .invalid),
    ]) func eachRefusalHasItsKind(status: Int, body: String, code: VaultError.Code) async throws {
        let (error, _) = try await answerToReading(
            KVImpostor.answer(status, body, head: "Location: https://evil.example/\r\n"))
        #expect(error?.code == code, "\(String(describing: error))")
        #expect(error?.remedy != nil)
        #expect(error?.isRetryable == (code == .unavailable || code == .full))
    }

    @Test func aHugeAnswerIsCutOff() async throws {
        let huge = Array("HTTP/1.1 200 X\r\n\r\n".utf8) + [UInt8](repeating: 0x20, count: 20 << 20)
        #expect(try await answerToReading(huge).error?.code == .notTrusted)
    }

    @Test func aSilentServerIsGivenUp() async throws {
        #expect(try await answerToReading(nil).error?.code == .unavailable)
    }

    @Test func aTruncatedAnswerIsNotTaken() async throws {
        let cut = Array("HTTP/1.1 200 X\r\nContent-Length: 500\r\n\r\n{\"data\":".utf8)
        #expect(try await answerToReading(cut).error?.code == .unavailable)
    }

    @Test func aWriteIsSentOnce() async throws {
        let impostor = try KVImpostor { line, _ in
            if line.contains("lookup-self") { return Self.lookup }
            return line.hasPrefix("GET")
                ? KVImpostor.answer(404, #"{"errors": []}"#) : Array("HTTP/1.1 200 X\r\n".utf8)
        }
        defer { impostor.stop() }
        let reach = VaultReach(patience: .seconds(2), credential: SecretValue(copying: "s.token".utf8))
        let url = VaultURL(scheme: "kv", location: "http://127.0.0.1:\(impostor.port)/secret/keyover")
        let store = try await KVBackend.store(url, reach)
        let error = await failure { try await store.put(Entry(.keys, [1]), expecting: nil, while: nil) }
        #expect(error?.code == .unavailable)
        #expect(impostor.requests.filter { $0.hasPrefix("POST ") }.count == 1)
    }
}

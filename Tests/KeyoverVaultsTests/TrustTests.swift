import Foundation
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing

/// Whose vault it is, and which state of it.
@Suite struct TrustTests {
    @Test func yesterdaysCopyIsRefusedOnTheHostThatSawToday() async throws {
        let vault = try await TestVault()
        let aside = vault.scratch.path + "/aside"
        try FileManager.default.createDirectory(atPath: aside, withIntermediateDirectories: false)
        let client = SampleRecords.client("a")
        var revision = try await vault.vault.write(client, expecting: nil)
        try vault.copyDatabase(from: vault.path, to: aside)
        revision = try await vault.vault.write(client, expecting: revision)
        try FileManager.default.removeItem(atPath: vault.databasePath + "-shm")
        try vault.copyDatabase(from: aside, to: vault.path)

        let error = await failure { _ = try await vault.reopened().read(client.name) }
        #expect(error?.code == .notTrusted)
        #expect(error?.remedy?.contains("keyover vault restore --accept-older") == true)
        let writing = await failure { _ = try await vault.reopened().write(client, expecting: revision) }
        #expect(writing?.code == .notTrusted)
        #expect(try await vault.reopened().verify().isSound == false)
        // A host that never saw today cannot know.
        #expect(try await vault.reopened(withMark: false).read(client.name)?.record == client)
    }

    @Test func theMarkFollowsEveryCommit() async throws {
        let vault = try await TestVault()
        let name = vault.fileVault.id + ".counter"
        var revision: Revision?
        for count in 1...3 {
            revision = try await vault.vault.write(SampleRecords.client("a"), expecting: revision)
            let text = try String(contentsOfFile: "\(vault.stateDirectory)/\(name)", encoding: .utf8)
            #expect(text == "1.\(count)\n")
        }
    }

    @Test func readingWritesNothing() async throws {
        let vault = try await TestVault()
        let client = SampleRecords.client("a")
        _ = try await vault.vault.write(client, expecting: nil)
        try FileManager.default.removeItem(atPath: vault.stateDirectory)
        let before = FileManager.default.contents(atPath: vault.databasePath)
        let log = FileManager.default.contents(atPath: vault.databasePath + "-wal")
        let handle = try await vault.reopened()
        #expect(try await handle.read(client.name)?.record == client)
        _ = try await handle.summaries(ClientRecord.self)
        #expect(FileManager.default.contents(atPath: vault.databasePath) == before)
        #expect(FileManager.default.contents(atPath: vault.databasePath + "-wal") == log)
        #expect(!FileManager.default.fileExists(atPath: vault.stateDirectory))
    }

    @Test func aReportWithNothingNewDoesNotMoveTheMarkAheadOfTheVault() async throws {
        let vault = try await TestVault()
        _ = try await vault.vault.write(SampleRecords.client("a"), expecting: nil)
        for _ in 1...3 {
            try await vault.vault.acknowledge(
                SampleRecords.report("web-1", generation: 1), of: SampleRecords.name("a"))
        }
        #expect(try await vault.reopened().status().mark == VaultMark(epoch: 1, counter: 2))
    }

    @Test func aMarkThatCannotBeKeptIsReported() async throws {
        let vault = try await TestVault()
        try FileManager.default.createDirectory(
            atPath: vault.stateDirectory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        let revision = try await vault.vault.write(SampleRecords.client("a"), expecting: nil)
        #expect(try await vault.fileVault.status().highWaterMark?.counter == 1, "readable for others is good enough")
        try setMode(0o777, vault.stateDirectory)
        _ = try await vault.vault.write(SampleRecords.client("a"), expecting: revision)
        let findings = try await vault.fileVault.verify().findings
        #expect(findings.count == 1 && findings[0].remedy.contains("chmod"))
        try setMode(0o700, vault.stateDirectory)
        #expect(try await vault.fileVault.verify().isSound)
        #expect(try await vault.fileVault.status().highWaterMark?.counter == 2)
    }

    @Test func aDamagedMarkIsNotIgnored() async throws {
        let vault = try await TestVault()
        _ = try await vault.vault.write(SampleRecords.client("a"), expecting: nil)
        let path = "\(vault.stateDirectory)/\(vault.fileVault.id).counter"
        try Data("zero\n".utf8).write(to: URL(fileURLWithPath: path))
        try setMode(0o600, path)
        #expect(await failure { _ = try await vault.reopened() }?.code == .notTrusted)
        // What power loss may leave of it.
        try Data().write(to: URL(fileURLWithPath: path))
        try setMode(0o600, path)
        #expect(try await vault.reopened().status().mark.counter == 1)
    }

    @Test func aStrangerDoesNotOpenIt() async throws {
        let vault = try await TestVault()
        let error = await failure { _ = try await vault.reopened(as: [X25519Identity.generate()]) }
        #expect(error?.code == .locked)
        #expect(error?.remedy?.contains("--identity") == true)
        #expect(await failure { _ = try await vault.reopened(as: []) }?.code == .locked)
        #expect(await failure { _ = try await vault.reopened(as: [vault.auditor]) }?.code == .locked)
    }

    @Test func anotherVaultThanThePinnedOneIsRefused() async throws {
        let (vault, other) = (try await TestVault(), try await TestVault())
        let wrong = [
            VaultPin(vaultID: other.pin.vaultID, commitment: nil),
            VaultPin(vaultID: nil, commitment: other.pin.commitments.first),
            VaultPin(vaultID: vault.pin.vaultID, commitment: [UInt8](repeating: 0, count: 32)),
        ]
        for pin in wrong {
            #expect(await failure { _ = try await vault.reopened(pin: pin) }?.code == .notTrusted)
        }
        _ = try await vault.reopened(pin: VaultPin(vaultID: vault.pin.vaultID, commitment: nil))
        _ = try await vault.reopened(pin: VaultPin(vaultID: nil, commitment: vault.pin.commitments.first))
    }

    @Test func aKeyFileThatSomebodyElseMadeForTheRecipientIsRefused() async throws {
        let vault = try await TestVault()
        _ = try await vault.vault.write(SampleRecords.client("a"), expecting: nil)
        // age proves no author: anybody may write a key file that the admin's identity opens.
        let forged = vault.scratch.path + "/forged"
        _ = try await FileVault.create(at: forged, recipients: [vault.identity.recipient])
        try vault.scratch.copy("forged/vault.key.age", to: "vault/vault.key.age")
        #expect(await failure { _ = try await vault.reopened() }?.code == .notTrusted)
        let unpinned = await failure {
            _ = try await FileVault.open(at: vault.path, VaultAccess(identities: [vault.identity])).summaries(
                ClientRecord.self)
        }
        #expect(unpinned?.code == .notTrusted, "the database does not fit the keys either")
    }

    @Test func aDamagedKeyFileIsToldFromAWrongIdentity() async throws {
        let vault = try await TestVault()
        let path = vault.path + "/vault.key.age"
        let whole = try #require(FileManager.default.contents(atPath: path))
        for count in [0, 10, whole.count / 2, whole.count - 40] {
            try whole.prefix(count).write(to: URL(fileURLWithPath: path))
            try setMode(0o600, path)
            #expect(await failure { _ = try await vault.reopened() }?.code == .notTrusted, "\(count)")
        }
    }

    @Test func noCanaryLiesInAnyFile() async throws {
        let vault = try await TestVault()
        let canary = "canary-7f3a9c51e2"
        var client = SampleRecords.clientInRotation(canary + "-name")
        client.primary.value = SecretValue(copying: (canary + "-secret").utf8)
        client.registration.owner = canary + "-owner"
        client.primary.clientID = canary + "-id"
        var revision = try await vault.vault.write(client, expecting: nil)
        revision = try await vault.vault.write(client, expecting: revision)
        try await vault.vault.acknowledge(SampleRecords.report(canary + "-consumer", generation: 1), of: client.name)
        let files = try FileManager.default.subpathsOfDirectory(atPath: vault.scratch.path)
        #expect(files.contains("vault/vault.db-wal"))
        for file in files {
            guard let contents = FileManager.default.contents(atPath: "\(vault.scratch.path)/\(file)") else { continue }
            for word in [canary, Data(canary.utf8).base64EncodedString().prefix(12).description] {
                #expect(contents.range(of: Data(word.utf8)) == nil, "\(file) holds \(word)")
            }
        }
        try await vault.vault.delete(client.name, expecting: revision)
        #expect(try await vault.fileVault.verify().findings == [])
    }

    @Test func statusAndVerifySayWhatIsThere() async throws {
        let vault = try await TestVault()
        _ = try await vault.vault.write(SampleRecords.clientInRotation("a"), expecting: nil)
        _ = try await vault.vault.write(SampleRecords.tenant("t"), expecting: nil)
        try await vault.vault.acknowledge(SampleRecords.report("web-1", generation: 1), of: SampleRecords.name("a"))
        let status = try await vault.reopened().status()
        #expect(status.records == ["client": 1, "tenant": 1])
        #expect(status.ledgerEntries == 1)
        #expect(status.mark == VaultMark(epoch: 1, counter: 3))
        #expect(status.highWaterMark == status.mark)
        #expect(status.keyCommitment == vault.pin.commitments.first.map { Hex.encode($0) })
        #expect(status.audience.full == [.key(vault.identity.recipient)])
        #expect(status.opensValues)
        let result = try await vault.fileVault.verify()
        #expect(result.findings == [])
        #expect((result.records, result.ledgerEntries, result.checkedValues) == (2, 1, true))
        let auditor = try #require(try await vault.metadataHandle() as? FileVault)
        let audited = try await auditor.verify()
        #expect(audited.isSound && !audited.checkedValues)
    }
}

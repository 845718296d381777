import Foundation
import GRDB
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing

@Suite struct DurabilityTests {
    @Test func twoThousandIncrementsThroughFourHandlesLoseNone() async throws {
        let vault = try await TestVault()
        let client = SampleRecords.client("counter")
        _ = try await vault.vault.write(client, expecting: nil)
        var handles: [any Vault] = [vault.vault]
        for _ in 1...3 { handles.append(try await vault.reopened(patience: .seconds(60))) }
        try await VaultSuite.increment(client.name, in: handles, workers: 4, times: 500)
        #expect(try await vault.vault.read(client.name)?.record.generation == 2001)
        #expect(try await vault.fileVault.verify().findings == [])
    }

    @Test func aBusyVaultIsUnavailableInTimeAndStillReadable() async throws {
        let vault = try await TestVault()
        let client = SampleRecords.client("a")
        let revision = try await vault.vault.write(client, expecting: nil)
        let hasty = try await vault.reopened(patience: .milliseconds(100))
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let holder = try DatabaseQueue(path: vault.databasePath, configuration: configuration)
        try await holder.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        let error = await failure { _ = try await hasty.write(client, expecting: revision) }
        #expect(error?.code == .unavailable)
        #expect(error?.isRetryable == true)
        #expect(try await hasty.read(client.name)?.record == client)
        try await holder.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        _ = try await hasty.write(client, expecting: revision)
    }

    @Test func aCancelledCallerStillLearnsWhatBecameOfItsWrite() async throws {
        let vault = try await TestVault()
        let client = SampleRecords.client("a")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await vault.vault.write(client, expecting: nil)
        }
        let revision = try await task.value
        #expect(try await vault.vault.read(client.name)?.revision == revision)
    }

    @Test(arguments: [3, 11, 40])
    func afterSIGKILLEveryAcknowledgedWriteIsThere(kills: Int) async throws {
        let vault = try await TestVault()
        _ = try await vault.vault.write(SampleRecords.client("victim"), expecting: nil)
        let (path, state) = (vault.path, vault.stateDirectory)
        let (key, progress) = (vault.scratch.path + "/identity", vault.scratch.path + "/progress")
        try IdentityFile.text(of: vault.identity).withUnsafeSecretBytes { try Data($0).write(to: URL(filePath: key)) }
        try setMode(0o600, key)
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [
                path = path as String, state = state as String, key = key as String, progress = progress as String,
                kills = kills as Int
            ] in
            let writer = try await FileVault.open(
                at: path, VaultAccess(identities: try IdentityFile.read(key), stateDirectory: state))
            Thread.detachNewThread {
                // Let it strike anywhere within the life of a write, and not before some were acknowledged.
                while ((try? Data(contentsOf: URL(filePath: progress)))?.count ?? 0) < kills { usleep(200) }
                usleep(useconds_t.random(in: 0...4000))
                kill(getpid(), SIGKILL)
            }
            let log = open(progress, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            var current = try #require(try await writer.read(SampleRecords.name("victim") as ClientName))
            while true {
                current.record.generation += 1
                let revision = try await writer.write(current.record, expecting: current.revision)
                _ = write(log, ".", 1)
                current = Versioned(current.record, revision)
            }
        }
        let acknowledged = try #require(FileManager.default.contents(atPath: progress)).count
        let survivor = try await vault.reopened()
        let found = try #require(try await survivor.read(SampleRecords.name("victim") as ClientName))
        #expect(Int(found.record.generation) - 1 >= acknowledged)
        #expect(Int(found.record.generation) - 1 <= acknowledged + 1)
        #expect(try await survivor.verify().findings == [])
        _ = try await survivor.write(found.record, expecting: found.revision)
    }

    @Test func aFullDiskChangesNothingAndSaysSo() async throws {
        let vault = try await TestVault()
        let client = SampleRecords.client("kept")
        _ = try await vault.vault.write(client, expecting: nil)
        let (path, state, key) = (vault.path, vault.stateDirectory, vault.scratch.path + "/identity")
        try IdentityFile.text(of: vault.identity).withUnsafeSecretBytes { try Data($0).write(to: URL(filePath: key)) }
        try setMode(0o600, key)
        await #expect(processExitsWith: .success) {
            [path = path as String, state = state as String, key = key as String] in
            let writer = try await FileVault.open(
                at: path, VaultAccess(identities: try IdentityFile.read(key), stateDirectory: state))
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 600_000, rlim_max: 600_000)
            #expect(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            var written = 0
            let error = await failure {
                while true {
                    var large = SampleRecords.client("large-\(written)")
                    large.primary.value = SecretValue(count: 100_000) { $0.storeBytes(of: 1, as: UInt8.self) }
                    _ = try await writer.write(large, expecting: nil)
                    written += 1
                }
            }
            #expect(error?.code == .full)
            #expect(written > 0)
            #expect(try await writer.read(SampleRecords.name("kept") as ClientName)?.record.generation == 1)
            #expect(try await writer.summaries(ClientRecord.self).count == written + 1)
        }
        let survivor = try await vault.reopened()
        #expect(try await survivor.verify().findings == [])
        #expect(try await survivor.read(client.name)?.record == client)
        _ = try await survivor.write(SampleRecords.client("again"), expecting: nil)
    }
}

import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import Synchronization
import Testing

@testable import KeyoverVaults

/// New keys for a vault of entries, which has no transaction over all of them.
@Suite struct EntryRekeyTests {
    /// What configuration would say: the commitments that were pinned last.
    private final class Configuration: Sendable {
        private let stored: Mutex<VaultPin>

        init(_ pin: VaultPin) { stored = Mutex(pin) }

        var pin: VaultPin { stored.withLock { $0 } }

        func pin(_ commitments: [[UInt8]]) { stored.withLock { $0.commitments = commitments } }
    }

    @Test func everythingIsSealedAnewAndTheOldKeysAreGone() async throws {
        let bench = try await EntryBench()
        let vault = try await bench.open()
        let leaver = try X25519Identity.generate()
        try await vault.grant(to: VaultAudience(full: vault.audience.full + [.key(leaver.recipient)]))
        let configuration = Configuration(bench.pin)
        let pin = try await bench.open().rekey(
            for: VaultAudience(full: [.key(bench.identity.recipient)]), passphrase: nil, marking: nil
        ) { configuration.pin($0) }
        #expect(configuration.pin.commitments == pin.commitments)
        #expect(await failure { _ = try await bench.open() }?.code == .notTrusted)
        let fresh = try await bench.open(pin: pin)
        #expect(try await fresh.read(bench.one.name)?.record == bench.one)
        #expect(try await fresh.read(bench.one.name)?.record.secrets == bench.one.secrets)
        #expect(try await fresh.ledger(of: bench.one.name).count == 1)
        #expect(try await fresh.verify().isSound)
        #expect(try await fresh.status().mark.epoch == 2)
        let keys = try #require(await bench.store.entry(.keys))
        #expect(throws: VaultError.self) { try KeyFile.open(keys.bytes, with: [leaver]) }
        #expect(try KeyFile.open(keys.bytes, with: [bench.identity]).keyrings.count == 1)
    }

    @Test func whoOpenedTheVaultBeforeStoresNothingAfter() async throws {
        let bench = try await EntryBench()
        let late = try await bench.open()
        let found = try #require(await late.read(bench.two.name))
        _ = try await bench.open().rekey(for: late.audience, passphrase: nil, marking: nil) { _ in }
        #expect(await failure { _ = try await late.read(bench.two.name) }?.code == .notTrusted)
        let error = await failure { _ = try await late.write(SampleRecords.client("new"), expecting: nil) }
        #expect(error?.code == .rekeyed)
        #expect(await failure { _ = try await late.write(found.record, expecting: found.revision) } != nil)
    }

    /// Whatever change is the last one before the store goes away: with what is pinned then the vault opens, whole, and
    /// repeating the command finishes it.
    @Test func aCrashAtAnyChangeLeavesAVaultThatOpens() async throws {
        let changes = try await rekeyed(with: nil).count
        #expect(changes == 6, "two key files, three records and a report")
        for number in 1...changes {
            for fault in [HurtStore.Fault.before(number), .after(number)] {
                let (bench, configuration) = try await interrupted(by: fault)
                let pin = configuration.pin
                let vault = try await bench.open(pin: pin)
                #expect(try await vault.read(bench.one.name)?.record.secrets == bench.one.secrets, "\(fault)")
                #expect(try await vault.summaries(ClientRecord.self).count == 2, "\(fault)")
                let wasHalf = vault.isBetweenEpochs
                #expect(try await vault.verify().findings.count == (wasHalf ? 1 : 0), "\(fault)")
                let next = try await vault.rekey(for: vault.audience, passphrase: nil, marking: nil) {
                    configuration.pin($0)
                }
                let finished = try await bench.open(pin: next)
                #expect(!finished.isBetweenEpochs)
                #expect(try await finished.verify().isSound, "\(fault)")
                #expect(try await finished.ledger(of: bench.one.name).count == 1, "\(fault)")
            }
        }
    }

    @Test func aWriterInTheMiddleIsNotLost() async throws {
        let bench = try await EntryBench()
        let writer = try await bench.open()
        let stored = try await withThrowingTaskGroup(of: UInt64.self) { group in
            group.addTask { try await Self.raise(bench.two.name, in: writer) }
            group.addTask {
                for _ in 0..<50 { await Task.yield() }
                _ = try await bench.open().rekey(for: writer.audience, passphrase: nil, marking: nil) { _ in }
                return 0
            }
            return try await group.reduce(bench.two.generation, max)
        }
        let pin = VaultPin(vaultID: bench.pin.vaultID, commitments: [])
        let found = try await bench.open(pin: pin).read(bench.two.name)
        #expect(found?.record.generation == stored)
    }

    @Test func anAcceptedOlderCopyMarksItsClients() async throws {
        let bench = try await EntryBench()
        let old = try await bench.stored(bench.two.name).bytes
        let first = try await bench.open()
        var found = try #require(await first.read(bench.two.name))
        found.record.generation += 1
        _ = try await first.write(found.record, expecting: found.revision)
        _ = try await first.write(SampleRecords.client("lost", number: 9), expecting: nil)
        try await bench.plant(old, at: bench.two.name)
        try await bench.steal(SampleRecords.name("lost") as ClientName)
        let status = try await bench.open().status()
        #expect(status.highWaterMark.map { status.mark < $0 } == true)
        let mark = Restoration(
            at: Timestamp(millisecondsSinceEpoch: 20_000), backedUpAt: Timestamp(millisecondsSinceEpoch: 10_000))
        let vault = try await bench.open(acceptsOlder: true)
        let pin = try await vault.rekey(for: vault.audience, passphrase: nil, marking: mark) { _ in }
        let accepted = try await bench.open(pin: pin)
        let clients = try await accepted.summaries(ClientRecord.self)
        #expect(try await accepted.verify().isSound)
        let after = try await accepted.status()
        #expect(after.highWaterMark == after.mark && status.mark < after.mark)
        #expect(clients.allSatisfy { $0.record.restored == mark } && clients.count == 2)
    }

    /// Raises a client's generation until the vault has other keys; answers the last one that was stored.
    private static func raise(_ name: ClientName, in vault: EntryVault<MemoryStore>) async throws -> UInt64 {
        var stored: UInt64 = 0
        while true {
            do throws(VaultError) {
                guard var found = try await vault.read(name) else { return stored }
                found.record.generation += 1
                _ = try await vault.write(found.record, expecting: found.revision)
                stored = found.record.generation
            } catch {
                if error.code != .conflict { return stored }
            }
        }
    }

    private func rekeyed(with fault: HurtStore.Fault?) async throws -> HurtStore {
        let bench = try await EntryBench()
        let store = HurtStore(bench.store, fault)
        let vault = try await bench.open(store)
        _ = try await vault.rekey(for: vault.audience, passphrase: nil, marking: nil) { _ in }
        return store
    }

    private func interrupted(by fault: HurtStore.Fault) async throws -> (EntryBench, Configuration) {
        let bench = try await EntryBench()
        let configuration = Configuration(bench.pin)
        let vault = try await bench.open(HurtStore(bench.store, fault))
        let error = await failure {
            _ = try await vault.rekey(for: vault.audience, passphrase: nil, marking: nil) { configuration.pin($0) }
        }
        #expect(error?.code == .unavailable)
        return (bench, configuration)
    }
}

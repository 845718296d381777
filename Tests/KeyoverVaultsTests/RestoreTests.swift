import Foundation
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Synchronization
import Testing

/// What was backed up comes back whole, in a new epoch, with every client marked.
@Suite struct RestoreTests {
    private static let client: ClientName = SampleRecords.name("billing-sync")
    private static let restoration = Restoration(at: SampleRecords.moment, backedUpAt: SampleRecords.moment - .days(1))

    @Test func everythingComesBackInANewEpoch() async throws {
        let vault = try await filled()
        let file = try await backup(of: vault)
        let place = vault.scratch.path + "/restored"
        let restored = try await FileBackend.restore(url(place), plan(file, vault))
        #expect(restored.replaced == nil)
        #expect(restored.mark.epoch == 2)
        #expect(restored.pin.vaultID == vault.pin.vaultID)

        let new = try await FileVault.open(at: place, VaultAccess(identities: [vault.identity], pin: restored.pin))
        #expect(try await new.verify().findings == [])
        let before = try await #require(vault.vault.read(Self.client))
        let after = try await #require(new.read(Self.client))
        var expected = before.record
        expected.mark(Self.restoration)
        #expect(expected.generation > before.record.generation + 100, "no number comes to mean another secret")
        #expect(after.record == expected)
        #expect(after.record.secrets == before.record.secrets)
        #expect(after.revision != before.revision)
        let tenant = try await #require(new.read(SampleRecords.tenant("sandbox-1").name))
        #expect(tenant.record.adminCredential == SampleRecords.tenant("sandbox-1").adminCredential)
        let (left, right) = (try await new.ledger(of: Self.client), try await vault.vault.ledger(of: Self.client))
        #expect(left == right)
        let keys = (try await new.derivedKey(for: .audit), try await vault.vault.derivedKey(for: .audit))
        #expect(keys.0 == keys.1)
        for name in ["vault.db", "vault.key.age"] { #expect(try mode("\(place)/\(name)") == 0o600) }
        #expect(try mode(place) == 0o700)
    }

    @Test func theNewEpochIsAboveAllThatTheHostHasSeen() async throws {
        let vault = try await filled()
        let file = try await backup(of: vault)
        let highest = VaultMark(epoch: 7, counter: 3)
        let restored = try await FileBackend.restore(
            url(vault.scratch.path + "/restored"), plan(file, vault, highest: highest))
        #expect(restored.mark > highest)
    }

    @Test func whatLiesThereIsKeptOrNotTouched() async throws {
        let vault = try await filled()
        let file = try await backup(of: vault)
        let refused = await failure { _ = try await FileBackend.restore(url(vault.path), plan(file, vault)) }
        #expect(refused?.code == .exists)
        #expect(try await vault.reopened().verify().findings == [])

        let restored = try await FileBackend.restore(url(vault.path), plan(file, vault, replaces: true))
        let kept = try #require(restored.replaced)
        let old = try await FileVault.open(at: kept, VaultAccess(identities: [vault.identity], pin: vault.pin))
        #expect(try await old.read(Self.client)?.record.restored == nil)
        #expect(try await vault.reopened(pin: restored.pin).read(Self.client)?.record.restored == Self.restoration)
    }

    @Test func aHarmedBackupLeavesNothingBehind() async throws {
        let vault = try await filled()
        let file = try await backup(of: vault)
        var harmed = file
        harmed[file.count - 20] ^= 1
        for bytes in [harmed, Array(file.dropLast(1)), file + [0], []] {
            let error = await failure {
                _ = try await FileBackend.restore(
                    url(vault.scratch.path + "/restored"),
                    plan(
                        bytes, vault,
                        pinning: { _ in
                            Issue.record("configuration was changed for a harmed backup")
                        }))
            }
            #expect(error?.code == .notTrusted)
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: vault.scratch.path)
        #expect(left.filter { $0.contains("restored") } == [])
    }

    @Test func whoCouldNotOpenTheRestoredVaultIsToldBefore() async throws {
        let vault = try await filled()
        let guest = try X25519Identity.generate()
        let file = try await backup(of: vault, alsoTo: [guest.recipient])
        let place = vault.scratch.path + "/restored"
        let refused = await failure {
            _ = try await FileBackend.restore(url(place), plan(file, vault, as: [guest]))
        }
        #expect(refused?.code == .invalid)
        let restored = try await FileBackend.restore(
            url(place), plan(file, vault, as: [guest], others: [.key(guest.recipient)]))
        let opened = try await FileVault.open(at: place, VaultAccess(identities: [guest], pin: restored.pin))
        #expect(try await opened.read(Self.client) != nil)
    }

    @Test func anAuditorCannotMakeABackup() async throws {
        let vault = try await filled()
        let auditor = try #require(try await vault.metadataHandle() as? FileVault)
        let error = await failure {
            _ = try await auditor.backUp(label, alsoTo: [], logs: { _ in }, sink: { _ in })
        }
        #expect(error?.code == .noValueAccess)
    }

    @Test func aBackupIsOneStateWhileOthersWrite() async throws {
        let vault = try await filled()
        let other = try await vault.reopened()
        async let writing: Void = {
            for _ in 0..<40 {
                guard let found = try await other.read(Self.client) else { return }
                var next = found.record
                next.generation += 1
                _ = try await other.write(next, expecting: found.revision)
            }
        }()
        for _ in 0..<5 {
            let file = try await backup(of: vault)
            let place = vault.scratch.path + "/restored-\(UInt32.random(in: 0 ... .max))"
            let restored = try await FileBackend.restore(url(place), plan(file, vault))
            let new = try await FileVault.open(at: place, VaultAccess(identities: [vault.identity], pin: restored.pin))
            #expect(try await new.verify().findings == [])
        }
        try await writing
    }

    // MARK: Helpers

    private let label = BackupLabel(createdAt: SampleRecords.moment, host: "host-1")

    private func url(_ path: String) -> VaultURL { VaultURL(scheme: "file", location: path) }

    private func filled() async throws -> TestVault {
        let vault = try await TestVault()
        _ = try await vault.vault.write(SampleRecords.client("billing-sync"), expecting: nil)
        _ = try await vault.vault.write(SampleRecords.tenant("sandbox-1"), expecting: nil)
        _ = try await vault.vault.write(SampleRecords.host("host-1"), expecting: nil)
        try await vault.vault.acknowledge(SampleRecords.report("web-1", generation: 1), of: Self.client)
        return vault
    }

    private func backup(of vault: TestVault, alsoTo others: [X25519Recipient] = []) async throws -> [UInt8] {
        let file = Mutex<[UInt8]>([])
        let manifest = try await vault.fileVault.backUp(
            label, alsoTo: others, logs: { _ in }, sink: { bytes in file.withLock { $0 += Array(bytes) } })
        #expect(manifest.createdAt == label.createdAt)
        return file.withLock { $0 }
    }

    private func plan(
        _ file: [UInt8], _ vault: TestVault, as identities: [any AgeIdentity]? = nil, others: [VaultRecipient] = [],
        highest: VaultMark? = nil, replaces: Bool = false,
        pinning: @escaping @Sendable (VaultPin) throws(VaultError) -> Void = { _ in }
    ) -> RestorePlan {
        let identities = identities ?? [vault.identity]
        return RestorePlan(
            identities: identities, others: others, restoration: Self.restoration, highest: { highest },
            replaces: replaces, pinning: pinning,
            read: { body throws(VaultError) in
                var offset = 0
                let reader = try BackupReader(for: identities) { buffer in
                    let count = min(buffer.count, file.count - offset)
                    buffer.copyBytes(from: file[offset..<offset + count])
                    offset += count
                    return count
                }
                return try reader.read(body)
            })
    }
}

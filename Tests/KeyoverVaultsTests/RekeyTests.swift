import Foundation
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Synchronization
import Testing

/// New keys change who can open the vault and nothing that is in it.
@Suite struct RekeyTests {
    @Test func everythingStaysButTheKeys() async throws {
        let vault = try await filled()
        let before = try await #require(vault.vault.read(Self.client))
        let ledger = try await vault.vault.ledger(of: Self.client)
        let fingerprints = try await vault.vault.derivedKey(for: .fingerprint)
        let pins = Pins()

        let pin = try await vault.fileVault.rekey(for: vault.fileVault.audience, passphrase: nil, marking: nil) {
            pins.take($0)
        }
        #expect(pin.vaultID == vault.pin.vaultID)
        #expect(pins.taken == [vault.pin.commitments + pin.commitments, pin.commitments])

        let after = try await vault.reopened(pin: pin)
        let found = try await #require(after.read(Self.client))
        #expect(found.record == before.record)
        #expect(found.record.secrets == before.record.secrets)
        #expect(found.revision != before.revision)
        #expect(try await after.ledger(of: Self.client) == ledger)
        #expect(try await after.derivedKey(for: .fingerprint) == fingerprints)
        #expect(try await after.verify().findings == [])
        #expect(try await after.status().mark.epoch == 2)
        let stale = await failure { _ = try await after.write(before.record, expecting: before.revision) }
        #expect(stale?.code == .conflict)
    }

    @Test func theOldPinAndAnOpenHandleAreTurnedAway() async throws {
        let vault = try await filled()
        let record = try await #require(vault.vault.read(Self.client))
        _ = try await vault.fileVault.rekey(for: vault.fileVault.audience, passphrase: nil, marking: nil) { _ in }
        for error in [
            await failure { _ = try await vault.reopened() },
            await failure { _ = try await vault.vault.read(Self.client) },
            await failure { _ = try await vault.vault.write(record.record, expecting: record.revision) },
        ] {
            #expect(error?.code == .notTrusted)
            #expect(error?.remedy != nil)
        }
    }

    @Test func whoIsRemovedOpensNothingAndWhoIsAddedOpensAll() async throws {
        let vault = try await filled()
        let colleague = try X25519Identity.generate()
        try await vault.fileVault.grant(
            to: VaultAudience(full: [.key(vault.identity.recipient), .key(colleague.recipient)]))
        let theirs = try await vault.reopened(as: [colleague])
        #expect(try await theirs.read(Self.client)?.record.secrets.isEmpty == false)

        let pin = try await theirs.rekey(
            for: VaultAudience(full: [.key(colleague.recipient)]), passphrase: nil, marking: nil
        ) { _ in }
        let error = await failure { _ = try await vault.reopened(pin: pin) }
        #expect(error?.code == .locked)
        #expect(try await vault.reopened(as: [colleague], pin: pin).verify().findings == [])
    }

    @Test func aGrantOfMetadataOpensNoValueAndOutlivesARekeying() async throws {
        let vault = try await filled()
        let audience = try VaultAudience(
            full: vault.fileVault.audience.full, metadataOnly: [.key(vault.auditor.recipient)])
        try await vault.fileVault.grant(to: audience)
        let pin = try await vault.reopened().rekey(for: audience, passphrase: nil, marking: nil) { _ in }
        let auditor = try await vault.reopened(as: [vault.auditor], pin: pin)
        #expect(try await auditor.summaries(ClientRecord.self).map(\.record.name) == [Self.client])
        #expect(try await auditor.read(Self.client)?.record.secrets.isEmpty == true)
        #expect(try await auditor.verify().findings == [])
        let refused = await failure {
            _ = try await auditor.rekey(for: audience, passphrase: nil, marking: nil) { _ in }
        }
        #expect(refused?.code == .noValueAccess)
        let granted = await failure { try await auditor.grant(to: audience) }
        #expect(granted?.code == .noValueAccess)

        let without = try VaultAudience(full: audience.full)
        let last = try await vault.reopened(pin: pin).rekey(for: without, passphrase: nil, marking: nil) { _ in }
        let gone = await failure { _ = try await vault.reopened(as: [vault.auditor], pin: last) }
        #expect(gone?.code == .locked)
        #expect(!FileManager.default.fileExists(atPath: vault.path + "/vault.metadata.age"))
    }

    @Test func nobodyLocksThemselvesOut() async throws {
        let vault = try await filled()
        let other = try X25519Identity.generate()
        let audience = try VaultAudience(full: [.key(other.recipient)])
        let error = await failure {
            _ = try await vault.fileVault.rekey(for: audience, passphrase: nil, marking: nil) { _ in }
        }
        #expect(error?.code == .invalid)
        #expect(try await vault.reopened().verify().findings == [])
    }

    @Test func whenConfigurationCannotFollowNothingChanges() async throws {
        let vault = try await filled()
        let error = await failure {
            _ = try await vault.fileVault.rekey(for: vault.fileVault.audience, passphrase: nil, marking: nil) {
                _ throws(VaultError) in throw VaultError(.full, "no room")
            }
        }
        #expect(error?.code == .full)
        #expect(try await vault.reopened().verify().findings == [])
        #expect(try await vault.reopened().isBetweenEpochs == false)
    }

    @Test func anInterruptedRekeyingIsReportedAndFinishedByTheNext() async throws {
        let vault = try await filled()
        let keys = try keyFile(vault)
        let next = try keys.keyrings[0].successor(epoch: 2)
        let between = KeyFile([keys.keyrings[0], next], for: keys.access)
        try writePrivately(
            Data(try between.sealed(to: [vault.identity.recipient])), to: vault.path + "/vault.key.age")

        let opened = try await vault.reopened()
        #expect(try await opened.read(Self.client) != nil)
        #expect(opened.isBetweenEpochs)
        #expect(try await opened.verify().findings.map(\.remedy) == ["run keyover vault rekey"])
        let pin = try await opened.rekey(for: opened.audience, passphrase: nil, marking: nil) { _ in }
        #expect(pin.commitments != [next.commitment])
        let finished = try await vault.reopened(pin: pin)
        #expect(try await finished.verify().findings == [])
        #expect(try keyFile(vault).keyrings.count == 1)
    }

    @Test func aHarmedVaultIsNotSealedAnew() async throws {
        let vault = try await filled()
        try vault.tamper("UPDATE record SET leaf = zeroblob(32) WHERE rowid = 1")
        let error = await failure {
            _ = try await vault.reopened().rekey(for: vault.fileVault.audience, passphrase: nil, marking: nil) { _ in }
        }
        #expect(error?.code == .notTrusted)
        #expect(try vault.peek("SELECT epoch FROM vault") == [1])
        #expect(try keyFile(vault).keyrings.count == 1)
    }

    @Test func aPassphraseTakesTheKeysPlaceAndGivesItBack() async throws {
        let vault = try await filled()
        let passphrase = try ScryptPassphrase(SecretValue(copying: "correct horse".utf8), workFactor: 10)
        let pin = try await vault.fileVault.rekey(
            for: VaultAudience(full: [.passphrase]), passphrase: passphrase, marking: nil
        ) { _ in }
        let locked = await failure { _ = try await vault.reopened(pin: pin) }
        #expect(locked?.code == .locked)
        let opened = try await vault.reopened(as: [passphrase], pin: pin)
        let back = try await opened.rekey(
            for: VaultAudience(full: [.key(vault.identity.recipient)]), passphrase: nil, marking: nil
        ) { _ in }
        #expect(try await vault.reopened(pin: back).read(Self.client) != nil)
    }

    @Test func ofSeveralAtOnceEachSucceedsOrSaysWhy() async throws {
        let vault = try await filled()
        let audience = vault.fileVault.audience
        // Opened before the first of them begins: afterwards other keys may be pinned.
        var handles: [FileVault] = []
        for _ in 0..<4 { handles.append(try await vault.reopened()) }
        let ends = try await withThrowingTaskGroup(of: VaultError?.self) { [handles] group in
            for handle in handles {
                group.addTask {
                    do throws(VaultError) {
                        _ = try await handle.rekey(for: audience, passphrase: nil, marking: nil) { _ in }
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(ends.contains { $0 == nil })
        for case let error? in ends { #expect([.conflict, .unavailable, .notTrusted].contains(error.code)) }
        let keyring = try keyFile(vault).keyrings[0]
        #expect(try await vault.reopened(pin: VaultPin(keyring)).verify().findings == [])
    }

    @Test func anOlderCopyIsAcceptedForGoodWithEveryClientMarked() async throws {
        let vault = try await filled()
        let aside = vault.scratch.path + "/aside"
        try FileManager.default.createDirectory(atPath: aside, withIntermediateDirectories: false)
        try vault.checkpoint()
        try vault.copyDatabase(from: vault.path, to: aside)
        let newer = try await #require(vault.vault.read(Self.client))
        _ = try await vault.vault.write(newer.record, expecting: newer.revision)
        try vault.checkpoint()
        let seen = try await vault.fileVault.status().mark
        try vault.copyDatabase(from: aside, to: vault.path)
        let refused = await failure { _ = try await vault.reopened().read(Self.client) }
        #expect(refused?.code == .notTrusted)
        #expect(refused?.remedy?.contains("--accept-older") == true)

        var access = VaultAccess(
            identities: [vault.identity], pin: vault.pin, stateDirectory: vault.stateDirectory)
        access.acceptsOlder = true
        let older = try await FileVault.open(at: vault.path, access)
        let restoration = Restoration(at: SampleRecords.moment, backedUpAt: SampleRecords.moment)
        let pin = try await older.rekey(for: older.audience, passphrase: nil, marking: restoration) { _ in }
        let accepted = try await vault.reopened(pin: pin)
        #expect(try await accepted.read(Self.client)?.record.restored == restoration)
        #expect(try await accepted.status().mark > seen)
        #expect(try await accepted.verify().findings == [])
    }

    // MARK: Helpers

    private static let client: ClientName = SampleRecords.name("billing-sync")

    private func filled() async throws -> TestVault {
        let vault = try await TestVault()
        _ = try await vault.vault.write(SampleRecords.client("billing-sync"), expecting: nil)
        _ = try await vault.vault.write(SampleRecords.tenant("sandbox-1"), expecting: nil)
        for index in 1...3 {
            try await vault.vault.acknowledge(
                SampleRecords.report("web-\(index)", generation: UInt64(index)), of: Self.client)
        }
        return vault
    }

    private func keyFile(_ vault: TestVault) throws -> KeyFile {
        let bytes = try #require(FileManager.default.contents(atPath: vault.path + "/vault.key.age"))
        return try KeyFile.open(Array(bytes), with: [vault.identity])
    }

    private final class Pins: Sendable {
        private let stored = Mutex<[[[UInt8]]]>([])
        var taken: [[[UInt8]]] { stored.withLock { $0 } }

        func take(_ commitments: [[UInt8]]) {
            stored.withLock { $0.append(commitments) }
        }
    }
}

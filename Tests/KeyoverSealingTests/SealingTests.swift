import KeyoverConformance
import KeyoverCore
import Testing

@testable import KeyoverSealing

@Suite struct SealingTests {
    private let keyring = Keyring.generate(vaultID: SampleRecords.id(1))

    private func code<Failure: Error>(_ body: () throws(Failure) -> Void) -> VaultError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? VaultError)?.code
        }
    }

    private func context(
        vault: UInt64 = 1, epoch: UInt64 = 1, record: UInt64 = 2, field: String = "client/metadata", serial: UInt64 = 3
    ) -> SealContext {
        SealContext(
            vault: SampleRecords.id(vault), epoch: epoch, record: SampleRecords.id(record), field: field,
            serial: serial)
    }

    @Test func aBlobOpensInItsPlaceOnly() throws {
        let key = keyring.metadataKey
        let blob = try Seal.seal(Array("hush".utf8), with: key, for: context())
        #expect(Array(try Seal.open(blob, with: key, for: context())) == Array("hush".utf8))
        let elsewhere = [
            context(vault: 9), context(epoch: 9), context(record: 9), context(field: "client/metadat"),
            context(field: ""), context(serial: 9),
        ]
        for place in elsewhere { #expect(code { _ = try Seal.open(blob, with: key, for: place) } == .notTrusted) }
        let other = Keyring.generate(vaultID: SampleRecords.id(1)).metadataKey
        #expect(code { _ = try Seal.open(blob, with: other, for: context()) } == .notTrusted)
    }

    @Test func everyBitOfABlobCounts() throws {
        let blob = try Seal.seal(Array("hush".utf8), with: keyring.metadataKey, for: context())
        #expect(blob.count == 4 + Seal.overhead)
        for index in blob.indices {
            var harmed = blob
            harmed[index] ^= 0x10
            #expect(code { _ = try Seal.open(harmed, with: keyring.metadataKey, for: context()) } == .notTrusted)
        }
        for count in blob.indices {
            let short = Array(blob[..<count])
            #expect(code { _ = try Seal.open(short, with: keyring.metadataKey, for: context()) } == .notTrusted)
        }
    }

    @Test func anErrorDoesNotRepeatWhatTheDatabaseSays() throws {
        let row = try RecordSealing(keyring).seal(SampleRecords.client("a"), serial: 7)
        for word in ["\u{1B}[2J", "a b", String(repeating: "long", count: 100)] {
            let harmed = RecordRow(
                lookup: row.lookup, kind: word, id: row.id, serial: row.serial, leaf: row.leaf, digest: row.digest,
                metadata: row.metadata, payload: row.payload)
            let error = #expect(throws: VaultError.self) {
                try RecordSealing(keyring).open(harmed, as: ClientRecord.self)
            }
            #expect(error?.code == .notTrusted)
            #expect(error?.message.contains(word) == false)
        }
    }

    @Test func equalPlaintextsLookDifferent() throws {
        let blobs = try (0..<50).map { _ in try Seal.seal([1, 2, 3], with: keyring.metadataKey, for: context()) }
        #expect(Set(blobs).count == 50)
        #expect(Set(blobs.map { Array($0[..<32]) }).count == 50, "every blob has a salt of its own")
    }

    @Test func transcriptsAreReadBackInOneWayOnly() {
        func bytes(_ fields: [[UInt8]]) -> [UInt8] {
            var transcript = Transcript()
            for field in fields { transcript.append(field) }
            return transcript.bytes
        }
        let lists: [[[UInt8]]] = [
            [], [[]], [[], []], [[1]], [[1], []], [[], [1]], [[1, 2]], [[1], [2]], [[0, 0, 0, 1]],
        ]
        for list in lists { #expect(Transcript.fields(of: bytes(list))?.map(Array.init) == list) }
        #expect(Set(lists.map(bytes)).count == lists.count)
        for short in [[0], [0, 0, 0], [0, 0, 0, 1], [255, 255, 255, 255, 1]] as [[UInt8]] {
            #expect(Transcript.fields(of: short) == nil)
        }
    }

    @Test func aRecordSealsValuesApartFromMetadata() throws {
        let sealing = RecordSealing(keyring)
        let client = SampleRecords.clientInRotation("a")
        let row = try sealing.seal(client, serial: 7)
        #expect(try sealing.open(row, as: ClientRecord.self) == client)
        #expect(sealing.isConsistent(row))
        let summary = RecordRow(
            lookup: row.lookup, kind: row.kind, id: row.id, serial: row.serial, leaf: row.leaf, digest: row.digest,
            metadata: row.metadata, payload: nil)
        #expect(sealing.isConsistent(summary))
        #expect(try sealing.open(summary, as: ClientRecord.self).secrets.isEmpty)
        let auditor = RecordSealing(keyring.metadataOnly)
        #expect(try auditor.open(row, as: ClientRecord.self).secrets.isEmpty)
        #expect(auditor.isConsistent(row))
        #expect(code { _ = try auditor.seal(client, serial: 8) } == .noValueAccess)
    }

    @Test func keyFilesKeepWhatTheyWereGiven() throws {
        let identity = try X25519Identity.generate()
        let whole = KeyFile(keyring, for: try VaultAudience(of: [identity.recipient]))
        for file in [whole, whole.metadataOnly] {
            let opened = try KeyFile.open(file.sealed(to: [identity.recipient]), with: [identity])
            let found = try #require(opened.keyring(epoch: 1))
            #expect(found.commitment == keyring.commitment)
            #expect(found.vaultID == keyring.vaultID)
            #expect(try found.derivedKey(for: .audit) == keyring.derivedKey(for: .audit))
            #expect(found.lookup(kind: "client", name: "a") == keyring.lookup(kind: "client", name: "a"))
            #expect(opened.keyring(epoch: 2) == nil)
            #expect(opened.access.full == [.key(identity.recipient)])
        }
        #expect(whole.metadataOnly.keyrings.map(\.opensValues) == [false])
    }

    @Test func aKeyFileWithAnyLineAmissIsRefused() throws {
        let audience = try VaultAudience(of: [X25519Identity.generate().recipient])
        let text = KeyFile(keyring, for: audience).encoded().text
        let lines = text.split(separator: "\n").map(String.init)
        #expect(try KeyFile(parsing: SecretValue(text)).keyrings.count == 1)
        for index in lines.indices {
            var fewer = lines
            fewer.remove(at: index)
            var changed = lines
            changed[index] = String(changed[index].dropLast()) + (changed[index].hasSuffix("0") ? "1" : "0")
            for lines in [fewer, changed, lines + [lines[index]]] {
                let value = SecretValue(lines.joined(separator: "\n") + "\n")
                #expect(code { _ = try KeyFile(parsing: value) } != nil, "line \(index)")
            }
        }
        for harmed in [text + "more: 1\n", text + "\n", String(text.dropLast()), " " + text, ""] {
            #expect(code { _ = try KeyFile(parsing: SecretValue(harmed)) } != nil)
        }
    }

    @Test func everyKeyIsInTheCommitment() {
        let other = Keyring.generate(vaultID: keyring.vaultID)
        func commitment(
            metadataKey: SecretValue? = nil, metadataSurvivor: SecretValue? = nil, valueKey: SecretValue? = nil,
            valueSurvivor: SecretValue? = nil, epoch: UInt64 = 1
        ) -> [UInt8] {
            guard let side = keyring.valueSide else { return [] }
            let changed = Keyring.ValueSide(key: valueKey ?? side.key, survivor: valueSurvivor ?? side.survivor)
            return Keyring(
                vaultID: keyring.vaultID, epoch: epoch, metadataKey: metadataKey ?? keyring.metadataKey,
                metadataSurvivor: metadataSurvivor ?? keyring.metadataSurvivor, valueSide: changed,
                valueCommitment: Keyring.commit(changed, vaultID: keyring.vaultID, epoch: epoch)
            ).commitment
        }
        #expect(commitment() == keyring.commitment)
        let variants = [
            commitment(), commitment(metadataKey: other.metadataKey), commitment(epoch: 2),
            commitment(metadataSurvivor: other.metadataSurvivor), commitment(valueKey: other.valueSide?.key),
            commitment(valueSurvivor: other.valueSide?.survivor),
        ]
        #expect(Set(variants).count == variants.count)
    }
}

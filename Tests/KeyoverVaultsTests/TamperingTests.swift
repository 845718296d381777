import Foundation
import GRDB
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing

/// What somebody who can write the files, but has no key, can make the vault say: nothing but that it was harmed.
@Suite struct TamperingTests {
    private static let one = SampleRecords.clientInRotation("one")
    private static let other = SampleRecords.client("other", secret: "else", number: 9)

    /// A vault with two clients, a tenant and a ledger.
    private func filled() async throws -> TestVault {
        let vault = try await TestVault()
        _ = try await vault.vault.write(Self.one, expecting: nil)
        _ = try await vault.vault.write(Self.other, expecting: nil)
        _ = try await vault.vault.write(SampleRecords.tenant("sandbox-1"), expecting: nil)
        for consumer in ["web-1", "web-2"] {
            try await vault.vault.acknowledge(SampleRecords.report(consumer, generation: 1), of: Self.one.name)
        }
        return vault
    }

    /// No handle answers anything wrong, and the check says that something is.
    private func expectRefused(_ vault: TestVault, _ what: String) async throws {
        for handle in [vault.fileVault, try? await vault.reopened()].compactMap(\.self) {
            for name in [Self.one.name, Self.other.name] {
                await expectTrueOrRefused(handle, name, what)
            }
            #expect(await failure { _ = try await handle.summaries(ClientRecord.self) }?.code == .notTrusted, "\(what)")
            #expect(try await handle.verify().isSound == false, "\(what)")
        }
    }

    private func expectTrueOrRefused(_ vault: FileVault, _ name: ClientName, _ what: String) async {
        do {
            let found = try await vault.read(name)
            #expect(found?.record == (name == Self.one.name ? Self.one : Self.other), "\(what)")
        } catch {
            #expect(error.code == .notTrusted, "\(what): \(error)")
        }
    }

    @Test(arguments: [
        "UPDATE record SET kind = 'tenant' WHERE kind = 'client'",
        "UPDATE record SET serial = serial + 1",
        "UPDATE record SET serial = 1",
        "UPDATE record SET id = x'00112233445566778899aabbccddeeff'",
        "UPDATE record SET leaf = zeroblob(32)",
        "UPDATE record SET digest = zeroblob(32)",
        "UPDATE record SET metadata = zeroblob(length(metadata))",
        "UPDATE record SET metadata = x''",
        "UPDATE record SET metadata = substr(metadata, 1, length(metadata) - 1)",
        "UPDATE record SET lookup = CAST(substr(lookup, 1, 31) || x'00' AS BLOB)",
        "UPDATE record SET lookup = x'00' WHERE rowid = 1",
        "DELETE FROM record",
        "DELETE FROM record WHERE rowid = 1",
        "INSERT INTO record SELECT zeroblob(32), kind, id, serial, leaf, digest, metadata, payload FROM record LIMIT 1",
        "UPDATE vault SET epoch = 2",
        "UPDATE vault SET epoch = -1",
        "UPDATE vault SET counter = counter + 1",
        "UPDATE vault SET counter = counter - 1",
        "UPDATE vault SET counter = -1",
        "UPDATE vault SET root = zeroblob(length(root))",
        "UPDATE vault SET root = x''",
        "UPDATE vault SET id = zeroblob(16)",
        "DELETE FROM vault",
    ]) func aChangedRowIsNoticed(sql: String) async throws {
        let vault = try await filled()
        try vault.tamper(sql)
        try await expectRefused(vault, sql)
    }

    @Test(arguments: [
        "UPDATE record SET payload = zeroblob(length(payload))",
        "UPDATE record SET payload = x''",
        "UPDATE node SET hashes = zeroblob(33)",
        "UPDATE node SET hashes = x'00'",
        "UPDATE node SET position = position + 1 WHERE position = 0",
        "DELETE FROM node",
    ]) func whatOnlyReadersOfOneRecordNeedIsNoticedByThem(sql: String) async throws {
        let vault = try await filled()
        try vault.tamper(sql)
        #expect(await failure { _ = try await vault.vault.read(Self.one.name) }?.code == .notTrusted)
        #expect(try await vault.fileVault.verify().isSound == false)
    }

    @Test func everyByteOfARecordCounts() async throws {
        let vault = try await filled()
        for column in ["metadata", "payload", "leaf", "digest", "id"] {
            let before: [Data] = try vault.peek("SELECT \(column) FROM record ORDER BY rowid")
            let count = before[0].count
            for position in stride(from: 0, to: count, by: max(1, count / 24)) {
                var changed = before[0]
                changed[position] ^= 1 << UInt8(position % 8)
                try vault.tamper("UPDATE record SET \(column) = ? WHERE rowid = 1", [changed])
                let error = await failure { _ = try await vault.vault.read(Self.one.name) }
                #expect(error?.code == .notTrusted, "\(column) \(position)")
            }
            try vault.tamper("UPDATE record SET \(column) = ? WHERE rowid = 1", [before[0]])
        }
        #expect(try await vault.vault.read(Self.one.name)?.record == Self.one)
        #expect(try await vault.fileVault.verify().findings == [])
    }

    @Test func swappedRecordsAreNoticed() async throws {
        for columns in ["metadata", "payload", "metadata, payload, id, serial, leaf, digest"] {
            let vault = try await filled()
            let names = columns.split(separator: ", ")
            let set = names.map { "\($0) = (SELECT \($0) FROM record o WHERE o.rowid = 3 - record.rowid)" }
            try vault.tamper("UPDATE record SET \(set.joined(separator: ", ")) WHERE rowid IN (1, 2)")
            #expect(await failure { _ = try await vault.vault.read(Self.one.name) }?.code == .notTrusted, "\(columns)")
            #expect(try await vault.fileVault.verify().isSound == false, "\(columns)")
        }
    }

    @Test func anOlderRecordPutBackIsNoticed() async throws {
        let vault = try await filled()
        try vault.tamper("CREATE TABLE old AS SELECT rowid AS number, * FROM record")
        try vault.tamper("CREATE TABLE old_node AS SELECT * FROM node")
        let current = try #require(try await vault.vault.read(Self.one.name))
        var next = current.record
        next.generation += 1
        _ = try await vault.vault.write(next, expecting: current.revision)
        try vault.tamper("DELETE FROM record WHERE serial > 5")
        try vault.tamper(
            """
            INSERT INTO record SELECT lookup, kind, id, serial, leaf, digest, metadata, payload FROM old
            WHERE NOT EXISTS (SELECT 1 FROM record r WHERE r.lookup = old.lookup)
            """)
        #expect(await failure { _ = try await vault.vault.read(Self.one.name) }?.code == .notTrusted)
        // With its hashes it fits the tree, which then does not fit the sealed root.
        try vault.tamper("DELETE FROM node")
        try vault.tamper("INSERT INTO node SELECT * FROM old_node")
        #expect(await failure { _ = try await vault.vault.read(Self.one.name) }?.code == .notTrusted)
        try vault.tamper("DROP TABLE old")
        try vault.tamper("DROP TABLE old_node")
        #expect(await failure { _ = try await vault.reopened().read(Self.one.name) }?.code == .notTrusted)
    }

    @Test(arguments: [
        "DELETE FROM ledger", "UPDATE ledger SET entry = zeroblob(length(entry))", "UPDATE ledger SET serial = 1",
        "UPDATE ledger SET consumer = zeroblob(32) WHERE serial = 4",
        "DELETE FROM ledger WHERE serial = 5", "UPDATE ledger SET leaf = zeroblob(32)",
    ]) func aChangedLedgerIsNoticed(sql: String) async throws {
        let vault = try await filled()
        try vault.tamper(sql)
        #expect(await failure { _ = try await vault.vault.ledger(of: Self.one.name) }?.code == .notTrusted)
        let error = await failure {
            try await vault.vault.acknowledge(SampleRecords.report("web-1", generation: 9), of: Self.one.name)
        }
        #expect(error?.code == .notTrusted)
        #expect(try await vault.fileVault.verify().isSound == false)
        #expect(
            try await vault.vault.read(Self.one.name)?.record == Self.one, "a reader of the record is not concerned")
    }

    @Test(arguments: [
        "CREATE TABLE more (a)", "CREATE VIEW more AS SELECT 1", "CREATE INDEX more ON record (kind)",
        "CREATE TRIGGER more AFTER UPDATE ON record BEGIN DELETE FROM ledger; END",
        "ALTER TABLE record ADD COLUMN more TEXT", "DROP TABLE ledger", "PRAGMA application_id = 1",
        "PRAGMA user_version = 0",
    ]) func aDatabaseThatIsNotExactlyAVaultIsNotOpened(sql: String) async throws {
        let vault = try await filled()
        try vault.tamper(sql)
        #expect(await failure { _ = try await vault.reopened() }?.code == .notTrusted)
    }

    @Test func aDatabaseOfANewerVersionIsNotOpened() async throws {
        let vault = try await filled()
        try vault.tamper("PRAGMA user_version = 2")
        #expect(await failure { _ = try await vault.reopened() }?.code == .newerFormat)
    }

    @Test func bytesFlippedAnywhereInTheFileChangeNoAnswer() async throws {
        let vault = try await filled()
        try vault.checkpoint()
        let whole = try #require(FileManager.default.contents(atPath: vault.databasePath))
        var generator = SystemRandomNumberGenerator()
        for round in 0..<150 {
            var harmed = whole
            let position = round < 40 ? round * 3 : Int.random(in: 0..<whole.count, using: &generator)
            harmed[position] ^= UInt8.random(in: 1...255, using: &generator)
            let what = "byte \(position) set to \(harmed[position])"
            try replaceDatabase(of: vault, with: harmed)
            do throws(VaultError) {
                let handle = try await vault.reopened()
                await expectTrueOrRefused(handle, Self.one.name, what)
                await expectTrueOrRefused(handle, Self.other.name, what)
                let summaries = try await handle.summaries(ClientRecord.self)
                #expect(summaries.map(\.record.name) == [Self.one.name, Self.other.name], "\(what)")
            } catch {
                #expect([.notTrusted, .newerFormat, .unavailable].contains(error.code), "\(what): \(error)")
            }
        }
    }

    @Test func aFileCutShortAnywhereIsNoticed() async throws {
        let vault = try await filled()
        try vault.checkpoint()
        let whole = try #require(FileManager.default.contents(atPath: vault.databasePath))
        for count in [0, 1, 50, 99, 100, 4095, 4096, 8192, whole.count / 2, whole.count - 4096, whole.count - 1] {
            try replaceDatabase(of: vault, with: whole.prefix(count))
            let error = await failure {
                let handle = try await vault.reopened()
                _ = try await handle.read(Self.one.name)
                _ = try await handle.read(Self.other.name)
                _ = try await handle.summaries(ClientRecord.self)
            }
            #expect(error?.code == .notTrusted || error?.code == .unavailable, "\(count): \(String(describing: error))")
        }
    }

    private func replaceDatabase(of vault: TestVault, with bytes: Data) throws {
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: vault.databasePath + suffix) }
        try writePrivately(bytes, to: vault.databasePath)
    }
}

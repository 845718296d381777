import Glibc
import KeyoverCore
import Testing

@testable import KeyoverEngine

@Suite struct AuditLogTests {
    private let fixture: LogFixture
    private let billing: EntryMaker

    init() throws {
        fixture = try LogFixture()
        billing = try EntryMaker("billing")
    }

    @Test func appendedEntriesAreReadBackAndVerified() async throws {
        let log = fixture.log()
        try await log.append(billing.entries(1...3))
        try await log.append([billing.entry(4)])
        let verification = try await fixture.verify()
        #expect(verification.isWhole)
        #expect(verification.count == 4)
        #expect(verification.discontinuities.isEmpty)
        #expect(try await log.head() == verification.head)
        var read: [AuditEntry] = []
        for try await entry in AuditReader(stateDirectory: fixture.folder.path + "/state", host: fixture.host).entries()
        {
            read.append(entry)
        }
        #expect(read == billing.entries(1...4))
    }

    @Test func linesAreLaidOutAsDocumented() async throws {
        try await fixture.log().append(billing.entries(1...2))
        let first = String(decoding: fixture.lines()[0], as: UTF8.self)
        let second = String(decoding: fixture.lines()[1], as: UTF8.self)
        #expect(first.hasPrefix(#"{"n":1,"prev":"\#(String(repeating: "0", count: 64))","entry":{"action":"#))
        let mac = first.dropLast(3).suffix(64)
        #expect(second.hasPrefix(#"{"n":2,"prev":"\#(mac)","entry":{"#))
    }

    @Test func fileAndFolderArePrivateWhateverTheUmask() async throws {
        try await fixture.log().append([billing.entry(1)])
        var status = stat()
        stat(fixture.path, &status)
        #expect(status.st_mode & 0o7777 == 0o600)
        stat(fixture.folder.path + "/state/audit", &status)
        #expect(status.st_mode & 0o7777 == 0o700)
    }

    @Test func entryIsWrittenOnceByOneProcess() async throws {
        let log = fixture.log()
        try await log.append(billing.entries(1...2))
        try await log.append(billing.entries(1...3))
        #expect(fixture.lines().count == 3)
    }

    @Test func entryIsWrittenOnceAcrossProcesses() async throws {
        let (first, second) = (fixture.log(), fixture.log())
        try await first.append(billing.entries(1...2))
        try await second.append(billing.entries(1...3))
        try await first.append(billing.entries(2...4))
        try await fixture.log().append(billing.entries(1...5))
        let verification = try await fixture.verify()
        #expect(verification.isWhole && verification.count == 5 && verification.discontinuities.isEmpty)
    }

    @Test func entriesHandedInOutOfOrderAreWrittenOnceToo() async throws {
        try await fixture.log().append(billing.entries(1...6))
        let log = fixture.log()
        try await log.append([billing.entry(5), billing.entry(7), billing.entry(2), billing.entry(4)])
        #expect(fixture.lines().count == 7)
    }

    @Test func entryOfARestoredVaultIsNotTakenForAnOldOne() async throws {
        try await fixture.log().append(billing.entries(1...3))
        var again = billing.entry(3, action: "rotation.begun")
        again.time = again.time + .hours(1)
        try await fixture.log().append([again])
        let verification = try await fixture.verify()
        #expect(verification.isWhole && verification.count == 4)
        #expect(verification.discontinuities.map(\.repeatedCount) == [1])
    }

    @Test func manyWritersAtOnceKeepOneChain() async throws {
        let fixture = fixture
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in UInt8(1)...6 {
                let log = fixture.log()
                let maker = try EntryMaker("client-\(writer)", writer)
                group.addTask {
                    for sequence in UInt64(1)...20 { try await log.append([maker.entry(sequence)]) }
                }
            }
            try await group.waitForAll()
        }
        let verification = try await fixture.verify()
        #expect(verification.isWhole && verification.count == 120 && verification.discontinuities.isEmpty)
    }

    @Test func crashAtEveryByteOfTheLastLineIsRepaired() async throws {
        try await fixture.log().append(billing.entries(1...3))
        let lines = fixture.lines()
        for length in 1..<lines[2].count {
            try fixture.replace([lines[0], lines[1], Array(lines[2].prefix(length))])
            #expect(try await fixture.log().head().count == 2)
            let torn = try await fixture.verify()
            #expect(torn.isWhole && torn.count == 2 && torn.unfinishedBytes == length)
            try await fixture.log().append([billing.entry(3)])
            let mended = try await fixture.verify()
            #expect(mended.isWhole && mended.count == 4 && mended.unfinishedBytes == 0)
            #expect(mended.discontinuities.isEmpty)
        }
        #expect(try await fixture.actions().suffix(2) == ["audit.repaired", "rotation.stage"])
    }

    @Test func crashInTheVeryFirstLineIsRepaired() async throws {
        try await fixture.log().append([billing.entry(1)])
        let line = fixture.lines()[0]
        try fixture.replace([Array(line.prefix(40))])
        try await fixture.log().append([billing.entry(1)])
        #expect(try await fixture.verify().count == 2)
        #expect(try await fixture.actions() == ["audit.repaired", "rotation.stage"])
    }

    @Test func repairIsNotedBySequelOfALivingProcessToo() async throws {
        let log = fixture.log()
        try await log.append(billing.entries(1...2))
        let whole = fixture.folder.read(fixture.file)
        let descriptor = open(fixture.path, O_WRONLY | O_APPEND | O_CLOEXEC)
        #expect(write(descriptor, whole, 100) == 100)
        close(descriptor)
        try await log.append([billing.entry(3)])
        let verification = try await fixture.verify()
        #expect(verification.isWhole && verification.count == 4)
    }

    @Test func hugeEntryIsShortenedNotRefused() async throws {
        var huge = billing.entry(1, reason: String(repeating: "why \u{1} ", count: 50_000))
        for index in 0..<200 { huge.details["key-\(index)"] = String(repeating: "\u{2}", count: 5000) }
        try await fixture.log().append([huge, billing.entry(2)])
        let verification = try await fixture.verify()
        #expect(verification.isWhole && verification.count == 2)
        #expect(fixture.folder.text(fixture.file).contains(#""shortened":"true""#))
    }

    @Test func earlierHeadIsFoundAmongManyLines() async throws {
        let log = fixture.log()
        var heads: [AuditHead] = [.empty]
        for start in stride(from: UInt64(1), to: 900, by: 30) {
            try await log.append(billing.entries(start...start + 29))
            heads.append(try await log.head())
        }
        for head in heads { #expect(try await log.contains(head)) }
        let last = try #require(heads.last)
        #expect(!(try await log.contains(AuditHead(count: last.count + 1, mac: last.mac))))
        #expect(!(try await log.contains(AuditHead(count: last.count - 1, mac: last.mac))))
        #expect(!(try await log.contains(AuditHead(count: 0, mac: last.mac))))
    }

    @Test(arguments: [1, 600, 20_000, AuditLine.limit])
    func earlierHeadIsFoundBeforeALongUnfinishedLine(unfinished: Int) async throws {
        let log = fixture.log()
        try await log.append(billing.entries(1...2))
        let head = try await log.head()
        let rest = [UInt8](repeating: UInt8(ascii: "x"), count: unfinished)
        try fixture.folder.write(fixture.file, fixture.folder.read(fixture.file) + rest)
        #expect(try await log.contains(head))
        #expect(!(try await log.contains(AuditHead(count: 3, mac: head.mac))))
    }

    @Test func headReadsBackFromItsText() {
        let head = AuditHead(count: 17, mac: String(repeating: "0a", count: 32))
        #expect(AuditHead(head.description) == head)
        for text in [
            "", "17", "17:", "x:\(head.mac)", "17:\(head.mac)0", "17:\(head.mac.uppercased())", "-1:\(head.mac)",
            "+17:\(head.mac)", "017:\(head.mac)", "18446744073709551616:\(head.mac)",
        ] {
            #expect(AuditHead(text) == nil)
        }
    }
}

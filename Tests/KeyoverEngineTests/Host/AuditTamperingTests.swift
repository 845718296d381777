import Glibc
import KeyoverCore
import Testing

@testable import KeyoverEngine

/// What a person who can write the file but lacks the key can do to it, and what a verifier says to that.
@Suite struct AuditTamperingTests {
    private let fixture: LogFixture
    private let billing: EntryMaker

    init() throws {
        fixture = try LogFixture()
        billing = try EntryMaker("billing")
    }

    private func fill(_ count: UInt64 = 5) async throws -> [[UInt8]] {
        try await fixture.log().append(billing.entries(1...count))
        return fixture.lines()
    }

    @Test func everyFlippedBitIsFound() async throws {
        let lines = try await fill(3)
        let whole = Array(lines.joined())
        for index in whole.indices where index % 3 == 0 {
            for bit in [0, 5] {
                var changed = whole
                changed[index] ^= 1 << bit
                try fixture.folder.write(fixture.file, changed)
                let verification = try await fixture.verify()
                // The very last byte is a newline: without it the line is one that was not finished.
                let isLast = index == whole.count - 1
                #expect(verification.firstFault != nil || isLast && verification.count == 2, "byte \(index) bit \(bit)")
            }
        }
    }

    @Test func removedLineIsFound() async throws {
        var lines = try await fill()
        lines.remove(at: 2)
        try fixture.replace(lines)
        let fault = try #require(try await fixture.verify().firstFault)
        #expect(fault.kind == .outOfOrder && fault.line == 3)
    }

    @Test func swappedLinesAreFound() async throws {
        var lines = try await fill()
        lines.swapAt(1, 2)
        try fixture.replace(lines)
        let fault = try #require(try await fixture.verify().firstFault)
        #expect(fault.kind == .outOfOrder && fault.line == 2)
    }

    @Test func repeatedLineIsFound() async throws {
        let lines = try await fill()
        try fixture.replace(lines + [lines[4]])
        let fault = try #require(try await fixture.verify().firstFault)
        #expect(fault.kind == .outOfOrder && fault.line == 6)
    }

    @Test func renumberedLineIsFound() async throws {
        var lines = try await fill()
        lines.remove(at: 4)
        let forged = String(decoding: lines[3], as: UTF8.self)
        lines[3] = Array(forged.replacing("verifying", with: "completed").utf8)
        try fixture.replace(lines)
        let fault = try #require(try await fixture.verify().firstFault)
        #expect(fault.kind == .notAuthentic && fault.line == 4)
    }

    @Test func anotherKeyIsFound() async throws {
        _ = try await fill()
        let other = SecretValue(copying: [UInt8](repeating: 8, count: 32))
        let fault = try #require(try await fixture.verifier(key: other).verify().firstFault)
        #expect(fault.kind == .notAuthentic && fault.line == 1)
    }

    @Test func logOfAnotherHostIsFound() async throws {
        let lines = try await fill()
        try fixture.folder.write("state/audit/node-2.jsonl", Array(lines.joined()))
        let verification = try await fixture.verifier(host: CurrentActor.hostName("node-2")).verify()
        #expect(verification.firstFault?.kind == .notAuthentic)
    }

    @Test func logCutShortIsFoundByAKnownHead() async throws {
        let lines = try await fill()
        let head = try await fixture.log().head()
        try fixture.replace(Array(lines.prefix(3)))
        #expect(try await fixture.verify().isWhole, "the chain alone cannot show it")
        let byHead = try await fixture.verifier().verify(expecting: head)
        #expect(byHead.firstFault?.kind == .cutShort && byHead.firstFault?.line == 4)
        let mark = HostRecord(id: billing.record, name: fixture.host, auditCount: head.count, auditHead: head.mac)
        #expect(try await fixture.verifier().verify(mark: mark).firstFault?.kind == .cutShort)
        unlink(fixture.path)
        #expect(try await fixture.verifier().verify(mark: mark).firstFault?.kind == .cutShort)
    }

    @Test func logCutShortAndContinuedIsFoundByAKnownHead() async throws {
        let lines = try await fill()
        let head = try await fixture.log().head()
        try fixture.replace(Array(lines.prefix(3)))
        try await fixture.log().append(billing.entries(6...9))
        #expect(try await fixture.verify().isWhole)
        let verification = try await fixture.verifier().verify(expecting: head)
        #expect(verification.firstFault?.kind == .replaced && verification.firstFault?.line == 5)
    }

    @Test func missingEntriesOfAClientAreNamed() async throws {
        try await fixture.log().append([1, 2, 5, 9].map { billing.entry($0) })
        let verification = try await fixture.verify()
        #expect(verification.isWhole)
        let gaps = try #require(verification.discontinuities.first)
        #expect(gaps.client == billing.client && gaps.missing == [3...4, 6...8] && gaps.missingCount == 5)
    }

    @Test func nothingIsAddedBehindALineThatWasChanged() async throws {
        var lines = try await fill()
        lines[4][lines[4].count - 100] ^= 1
        try fixture.replace(lines)
        let error = await #expect(throws: AuditError.self) { try await fixture.log().append([billing.entry(6)]) }
        #expect(error?.code == .brokenChain)
        #expect(fixture.lines() == lines)
    }

    @Test func unfinishedLineBehindAChangedOneIsKept() async throws {
        var lines = try await fill()
        lines[3][lines[3].count - 100] ^= 1
        lines[4].removeLast(20)
        let bytes = Array(lines.joined())
        try fixture.folder.write(fixture.file, bytes)
        let error = await #expect(throws: AuditError.self) { try await fixture.log().append([billing.entry(6)]) }
        #expect(error?.code == .brokenChain)
        #expect(fixture.folder.read(fixture.file) == bytes)
    }

    @Test func changeUnderALivingProcessIsFoundByItsNextAppend() async throws {
        let log = fixture.log()
        try await log.append(billing.entries(1...2))
        try await fixture.log().append([billing.entry(3)])
        var lines = fixture.lines()
        lines[2][lines[2].count - 100] ^= 1
        let descriptor = open(fixture.path, O_WRONLY | O_CLOEXEC)
        let bytes = Array(lines.joined())
        #expect(pwrite(descriptor, bytes, bytes.count, 0) == bytes.count)
        close(descriptor)
        let error = await #expect(throws: AuditError.self) { try await log.append([billing.entry(4)]) }
        #expect(error?.code == .brokenChain)
    }

    @Test func logCutShortUnderALivingProcessIsFoundByItsNextAppend() async throws {
        let log = fixture.log()
        try await log.append(billing.entries(1...5))
        let kept = Array(fixture.lines().prefix(3))
        truncate(fixture.path, off_t(kept.joined().count))
        for _ in 0..<2 {
            let error = await #expect(throws: AuditError.self) { try await log.append([billing.entry(6)]) }
            #expect(error?.code == .brokenChain && error?.message.contains("cut short") == true)
        }
        #expect(fixture.lines() == kept)
    }

    @Test func endlessLineIsFoundWithoutReadingItAll() async throws {
        _ = try await fill()
        let descriptor = open(fixture.path, O_WRONLY | O_APPEND | O_CLOEXEC)
        #expect(ftruncate(descriptor, 1 << 40) == 0)
        close(descriptor)
        let fault = try #require(try await fixture.verify().firstFault)
        #expect(fault.kind == .tooLong && fault.line == 6)
        let error = await #expect(throws: AuditError.self) { try await fixture.log().append([billing.entry(6)]) }
        #expect(error?.code == .brokenChain)
    }

    @Test func randomBytesAreNoLog() async throws {
        _ = try await fill()
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            let bytes = (0..<2000).map { _ in UInt8.random(in: 0...255, using: &generator) } + [10]
            try fixture.folder.write(fixture.file, bytes)
            #expect(try await fixture.verify().firstFault?.line == 1)
            let error = await #expect(throws: AuditError.self) { try await fixture.log().append([billing.entry(1)]) }
            #expect(error?.code == .brokenChain)
        }
    }
}

import Foundation
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing

/// SQLite's log and its index, in the hands of somebody who knows their formats.
///
/// A log's checksums have no key, so a bare flip tests SQLite only. Here they are made to fit again.
@Suite(.serialized) struct LogTests {
    @Test func bytesChangedUnderCorrectChecksums() async throws {
        let specimen = try await Specimen.small.value
        let whole = WriteAheadLog(specimen.running[VaultImage.log])
        try #require(whole.resummed == whole.bytes, "the checksums here are SQLite's")
        let positions = Array(stride(from: 0, to: whole.bytes.count, by: 3)).filter { !whole.isChecksum($0) }
        let tally = try await Tally.of("flips in vault.db-wal, re-summed", positions, on: specimen) {
            victim, position in
            var log = whole
            log.bytes[position] ^= 1 << UInt8(position / 3 % 8)
            var image = specimen.running
            image[VaultImage.log] = log.resummed
            return try await victim.examine(image, "byte \(position) of the log was changed and re-summed")
        }
        #expect(tally.percentNoticed >= 25, "the rest are bytes of pages that nothing lies in")
    }

    @Test func framesLeftOutRepeatedAndExchanged() async throws {
        let specimen = try await Specimen.small.value
        let whole = WriteAheadLog(specimen.running[VaultImage.log])
        let count = whole.frameCount
        let tally = try await Tally.of("exchanged frames", 0..<count * (count + 1), on: specimen) { victim, number in
            let (first, second) = (number % count, number / count)
            var log = whole
            if second == count { log.removeFrame(first) } else { log.exchangeFrames(first, second) }
            var image = specimen.running
            image[VaultImage.log] = log.resummed
            return try await victim.examine(image, "frames \(first) and \(second) of the log were exchanged")
        }
        #expect(tally.count == count * (count + 1))
        #expect(tally.percentNoticed >= 20)
    }

    @Test func anIndexOfTheLogThatNobodyHoldsIsNotBelieved() async throws {
        let specimen = try await Specimen.small.value
        let victim = try Victim(specimen)
        for filling: UInt8 in [0, 1, 255] {
            for count in [0, 1, 100, 136, 32767, 32768, 65536] {
                for base in [specimen.running, specimen.today] {
                    var image = base
                    image[VaultImage.index] = [UInt8](repeating: filling, count: count)
                    let outcome = try await victim.examine(image, "an index of \(count) bytes of \(filling)")
                    #expect(outcome == .harmless)
                }
            }
        }
    }

    @Test func anIndexChangedWhileTheVaultIsOpenTellsNothingWrong() async throws {
        let specimen = try await Specimen.small.value
        // The header twice, the marks of the readers, and what is used of the table of pages.
        let positions = 0..<136 + 4 * (WriteAheadLog(specimen.running[VaultImage.log]).frameCount + 2)
        let tally = try await Tally.of("flips in vault.db-shm", positions, on: specimen) { victim, position in
            try specimen.running.lay(in: victim.path)
            let access = VaultAccess(
                identities: [specimen.identity], pin: specimen.pin, reach: VaultReach(patience: .milliseconds(50)))
            let holder = try await FileVault.open(at: victim.path, access)
            _ = try await holder.read(Answers.other.name)
            let path = "\(victim.path)/\(VaultImage.index)"
            var index = try #require(FileManager.default.contents(atPath: path).map { Array($0) })
            try #require(index.count == 32768)
            index[position] ^= 1 << UInt8(position % 8)
            // Written in place, since the file that the holder has mapped is meant.
            let descriptor = open(path, O_WRONLY | O_CLOEXEC)
            try #require(pwrite(descriptor, [index[position]], 1, off_t(position)) == 1)
            close(descriptor)
            let outcome = await victim.examine("byte \(position) of the index was changed under a reader")
            _ = try? await holder.read(Answers.one.name)
            return outcome
        }
        #expect(tally.count > 136)
    }
}

/// A log of SQLite's, format version 3007000: a header of 32 bytes, then frames of 24 bytes and a page.
struct WriteAheadLog: Sendable {
    private static let header = 32
    private static let frameHeader = 24

    var bytes: [UInt8]
    private let frameSize: Int

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        frameSize = Self.frameHeader + Int(bytes[10]) << 8 + Int(bytes[11])
    }

    var frameCount: Int { (bytes.count - Self.header) / frameSize }

    func isChecksum(_ position: Int) -> Bool {
        if position < Self.header { return position >= 24 }
        return (16..<24).contains((position - Self.header) % frameSize)
    }

    mutating func removeFrame(_ index: Int) { bytes.removeSubrange(frame(index)) }

    /// Exchanges what two frames hold; an exchange with itself repeats the frame.
    mutating func exchangeFrames(_ first: Int, _ second: Int) {
        let (one, other) = (Array(bytes[frame(first)]), Array(bytes[frame(second)]))
        if first == second { return bytes.insert(contentsOf: one, at: frame(first).upperBound) }
        bytes.replaceSubrange(frame(first), with: other)
        bytes.replaceSubrange(frame(second), with: one)
    }

    /// The log with checksums that fit what it holds.
    var resummed: [UInt8] {
        var result = bytes
        var sum: (UInt32, UInt32) = (0, 0)
        // The last bit of the magic number says in which order the summed numbers are written.
        let isBigEndian = bytes[3] & 1 == 1
        func add(_ range: Range<Int>) {
            for start in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
                sum.0 &+= Self.number(result, start, isBigEndian) &+ sum.1
                sum.1 &+= Self.number(result, start + 4, isBigEndian) &+ sum.0
            }
        }
        func store(at position: Int) {
            for (index, value) in [sum.0, sum.1].enumerated() {
                for byte in 0..<4 {
                    result[position + index * 4 + byte] = UInt8(truncatingIfNeeded: value >> UInt32(24 - byte * 8))
                }
            }
        }
        add(0..<24)
        store(at: 24)
        for index in 0..<frameCount {
            let range = frame(index)
            add(range.lowerBound..<range.lowerBound + 8)
            add(range.lowerBound + Self.frameHeader..<range.upperBound)
            store(at: range.lowerBound + 16)
        }
        return result
    }

    private func frame(_ index: Int) -> Range<Int> {
        Self.header + index * frameSize..<Self.header + (index + 1) * frameSize
    }

    private static func number(_ bytes: [UInt8], _ start: Int, _ isBigEndian: Bool) -> UInt32 {
        let digits = isBigEndian ? [0, 1, 2, 3] : [3, 2, 1, 0]
        return digits.reduce(0) { $0 << 8 | UInt32(bytes[start + $1]) }
    }
}

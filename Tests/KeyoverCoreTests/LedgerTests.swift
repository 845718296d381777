import KeyoverConformance
import KeyoverCore
import Testing

@Suite struct LedgerTests {
    private func anyEntry(_ generator: inout some RandomNumberGenerator) -> LedgerEntry {
        var entry = SampleRecords.report(
            "web-1", generation: .random(in: 1...3, using: &generator), at: .random(in: 0...3, using: &generator),
            rejected: Bool.random(using: &generator) ? .random(in: 1...3, using: &generator) : nil)
        entry.lease = .milliseconds(.random(in: 0...3, using: &generator))
        return entry
    }

    /// What a merge decides; two reports that agree in this are the same to everyone.
    private func meaning(_ entry: LedgerEntry) -> [Int64] {
        [
            Int64(entry.generation), (entry.seen.wall + entry.lease).millisecondsSinceEpoch,
            entry.rejected.map { Int64($0) } ?? -1,
        ]
    }

    @Test func mergingIsCommutativeAssociativeAndIdempotent() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            let (one, two, three) = (anyEntry(&generator), anyEntry(&generator), anyEntry(&generator))
            #expect(one.merged(with: one) == one)
            #expect(meaning(one.merged(with: two)) == meaning(two.merged(with: one)))
            #expect(
                meaning(one.merged(with: two).merged(with: three)) == meaning(one.merged(with: two.merged(with: three)))
            )
            #expect(one.merged(with: two).merged(with: two) == one.merged(with: two))
        }
    }

    @Test func theHigherGenerationWinsAndARejectionIsKept() {
        let old = SampleRecords.report("web-1", generation: 1, at: 1_000_000, rejected: 1)
        let new = SampleRecords.report("web-1", generation: 2, at: 0)
        #expect(old.merged(with: new).generation == 2)
        #expect(old.merged(with: new).seen == new.seen)
        #expect(old.merged(with: new).rejected == 1)
    }

    @Test func aLeaseRunsOutOnTheClockThatCannotJump() {
        let entry = SampleRecords.report("web-1", generation: 1)
        func now(boot: TimeSpan, wall: TimeSpan) -> ClockReading {
            ClockReading(
                wall: entry.seen.wall + wall, sinceBoot: entry.seen.sinceBoot + boot, bootID: entry.seen.bootID)
        }
        #expect(entry.isLive(at: now(boot: .minutes(59), wall: .minutes(59))))
        #expect(entry.isLive(at: now(boot: .hours(1), wall: .hours(1))))
        #expect(!entry.isLive(at: now(boot: .minutes(61), wall: .minutes(61))))
        #expect(entry.isLive(at: now(boot: .minutes(1), wall: .days(9))), "a wall clock set forward ends no lease")
    }
}

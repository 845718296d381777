import KeyoverCore
import KeyoverTesting
import Testing

@Suite struct SimulationTests {
    @Test(arguments: [1, 7, 23, 120, 466] as [UInt64])
    func aSeedAlwaysGivesTheSameHistory(seed: UInt64) {
        let (once, again) = (Simulation.run(seed: seed, tracing: true), Simulation.run(seed: seed, tracing: true))
        #expect(once.trace.count > 20)
        #expect(once.trace == again.trace)
        #expect(once.traceHash == again.traceHash)
        #expect(once.events == again.events)
    }

    @Test func tracingDoesNotChangeTheHistory() {
        let (traced, untraced) = (Simulation.run(seed: 23, tracing: true), Simulation.run(seed: 23))
        #expect(untraced.trace.isEmpty)
        #expect(traced.events == untraced.events)
        #expect(traced.virtualTime == untraced.virtualTime)
    }

    @Test func seedsDiffer() {
        let hashes = Set((1...20).map { Simulation.run(seed: UInt64($0)).traceHash })
        #expect(hashes.count == 20)
    }

    @Test func simulationsOfSeveralThreadsDoNotMeet() async {
        let alone = (1...8).map { Simulation.run(seed: UInt64($0)).traceHash }
        let together = await withTaskGroup { group in
            for seed in 1...8 { group.addTask { (seed, Simulation.run(seed: UInt64(seed)).traceHash) } }
            return await group.reduce(into: [Int: UInt64]()) { $0[$1.0] = $1.1 }
        }
        #expect((1...8).map { together[$0] } == alone)
    }

    @Test func threeHundredSeedsHoldTheInvariantsAndMeetEveryFault() {
        var coverage = Coverage()
        for seed in 1...300 {
            let report = Simulation.run(seed: UInt64(seed))
            #expect(report.violation == nil, "\(report.violation.map(\.description) ?? "")")
            coverage.merge(report.coverage)
        }
        for strategy in Strategies.all {
            let met = Set(coverage.counts.keys.filter { $0.strategy == strategy.name }.map(\.fault))
            let expected = Set(Coverage.reachable(strategy).map(\.fault))
            let unmet = expected.subtracting(met).map(\.rawValue).sorted()
            #expect(unmet.isEmpty, "\(strategy.name) never met \(unmet)")
        }
        let share = Strategies.all.map { strategy in
            let reachable = Coverage.reachable(strategy).count
            return Double(reachable - coverage.missing(strategy).count) / Double(reachable)
        }
        #expect(share.allSatisfy { $0 > 0.5 }, "reached \(share) of the cells")
    }
}

@Suite struct SeededGeneratorTests {
    @Test func drawsAreThoseOfSplitMix64() {
        // The reference implementation's first outputs for the seed 1234567.
        var generator = SeededGenerator(seed: 1_234_567)
        let drawn = (0..<3).map { _ in generator.next() }
        #expect(drawn == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
    }

    @Test func boundsAreKept() {
        var generator = SeededGenerator(seed: 1)
        #expect((0..<1000).allSatisfy { _ in (0..<7).contains(generator.below(7)) })
        #expect((0..<1000).allSatisfy { _ in (-3...3).contains(generator.within(-3...3)) })
        #expect(generator.below(0) == 0)
        #expect(!(0..<1000).contains { _ in generator.chance(0) })
        #expect((0..<1000).allSatisfy { _ in generator.chance(1000) })
    }
}

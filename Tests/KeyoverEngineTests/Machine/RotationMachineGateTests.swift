import KeyoverCore
import Testing

@Suite struct RotationMachineGateTests {
    private func entry(
        _ name: String, generation: UInt64, seen: ClockReading, lease: TimeSpan = .minutes(1)
    ) throws -> LedgerEntry {
        LedgerEntry(
            consumer: try #require(ConsumerName(name)), generation: generation, seen: seen, lease: lease)
    }

    /// A rotation that entered the drain just now.
    private func draining(_ change: (inout MachineBench) -> Void = { _ in }) throws -> MachineBench {
        var bench = try MachineBench()
        bench.policy.consumerCache = .seconds(30)
        bench.policy.minimumOverlap = .zero
        bench.policy.maximumOverlap = .hours(1)
        change(&bench)
        try bench.go(to: .draining)
        return bench
    }

    @Test func readersKeepTheGateClosedForTheirCache() throws {
        var bench = try draining()
        #expect(try bench.see(bench.gate()) == .wait(.seconds(30)))
        bench.advance(.milliseconds(29_999))
        #expect(try bench.see(bench.gate()) == .wait(.milliseconds(1)))
        bench.advance(.milliseconds(1))
        try bench.see(bench.gate())
        #expect(bench.stage == .retiring)
    }

    @Test func theLongestOfCacheAndOverlapCounts() throws {
        var bench = try draining { $0.policy.minimumOverlap = .minutes(10) }
        bench.advance(.minutes(9))
        #expect(try bench.see(bench.gate()) == .wait(.minutes(1)))
        var declared = try draining { $0.record.registration.consumerCache = .minutes(20) }
        declared.advance(.minutes(19))
        #expect(try declared.see(declared.gate()) == .wait(.minutes(1)))
    }

    @Test func aWallClockThatJumpsForwardOpensNothing() throws {
        var bench = try draining()
        bench.now.wall = bench.now.wall + .days(400)
        #expect(try bench.see(bench.gate()) == .wait(.seconds(30)))
    }

    @Test func anotherHostsClockIsTrustedToAMinute() throws {
        var bench = try draining()
        bench.now.bootID = "boot-2"
        bench.now.sinceBoot = .zero
        bench.now.wall = bench.now.wall + .seconds(80)
        #expect(try bench.see(bench.gate()) == .wait(.seconds(10)))
        bench.now.wall = bench.now.wall + .seconds(10)
        try bench.see(bench.gate())
        #expect(bench.stage == .retiring)
    }

    @Test func liveConsumersMustHaveMovedAndDeadOnesNeedNot() throws {
        var bench = try draining()
        bench.advance(.minutes(5))
        let moved = try entry("web-1", generation: 2, seen: bench.now)
        let dead = try entry("web-2", generation: 1, seen: MachineBench.start)
        let late = try entry("web-3", generation: 1, seen: bench.now)
        try bench.see(bench.gate([moved, dead, late]))
        #expect(bench.stage == .draining)
        #expect(bench.record.rotation?.waiting?.message == "not moved yet: web-3")
        try bench.see(bench.gate([moved, dead]))
        #expect(bench.stage == .retiring)
    }

    @Test func atTheMaximumOverlapAPersonDecidesByName() throws {
        var bench = try draining()
        bench.advance(.hours(1))
        let late = try entry("web-3", generation: 1, seen: bench.now)
        try bench.see(bench.gate([late]))
        #expect(bench.cause == .undrained)
        #expect(bench.record.rotation?.attention?.message.contains("web-3") == true)
        #expect(try bench.order(.drainAccepted([late.consumer])) == .observeGate)
        try bench.see(bench.gate([late]))
        #expect(bench.stage == .retiring)
    }

    @Test func aFailedDeliveryIsTriedAgainAndKeepsTheGateClosed() throws {
        var bench = try MachineBench()
        bench.policy.consumerCache = .seconds(30)
        try bench.go(to: .cutOver)
        let target = DeliveryTarget(kind: "command", arguments: ["/bin/true"])
        func result(_ failure: String?) -> DeliveryResult {
            DeliveryResult(target: target, generation: 2, at: bench.now.wall, failure: failure)
        }
        let (failed, delivered) = (result("exit 1"), result(nil))
        #expect(try bench.see(.delivered([failed])) == .deliver)
        try bench.see(.delivered([failed]))
        bench.advance(.minutes(5))
        try bench.see(bench.gate())
        #expect(bench.stage == .draining)
        #expect(try bench.order(.resumed) == .deliver)
        #expect(try bench.see(.delivered([delivered])) == .observeGate)
        try bench.see(bench.gate())
        #expect(bench.stage == .retiring)
    }

    @Test func useAtTheProviderKeepsTheGateClosedUntilItIsQuiet() throws {
        var bench = try draining()
        bench.advance(.minutes(5))
        let use = bench.now.wall - .seconds(10)
        #expect(try bench.see(bench.gate(lastUse: use)) == .wait(.seconds(20)))
        bench.advance(.seconds(20))
        try bench.see(bench.gate(lastUse: use))
        #expect(bench.stage == .retiring)
    }

    @Test func useThatSeemsToLieInTheFutureIsLookedAtSoonAgain() throws {
        var bench = try draining()
        bench.advance(.minutes(5))
        #expect(try bench.see(bench.gate(lastUse: bench.now.wall + .hours(3))) == .wait(.seconds(30)))
    }

    @Test func useBeforeTheSwitchSaysNothing() throws {
        var bench = try draining()
        let before = bench.now.wall
        bench.advance(.seconds(31))
        try bench.see(bench.gate(lastUse: before - .seconds(1)))
        #expect(bench.stage == .retiring)
    }

    @Test func aLeakSkipsTheDrain() throws {
        var bench = try draining()
        let late = try entry("web-3", generation: 1, seen: bench.now)
        try bench.order(.compromised(.primary))
        try bench.see(bench.gate([late]))
        #expect(bench.stage == .retiring)
    }

    @Test func theExchangeBeforeARemovalIsAMinuteOldAtMost() throws {
        var bench = try draining()
        bench.advance(.minutes(5))
        let observed = bench.gate()
        bench.advance(.seconds(59))
        try bench.see(observed)
        #expect(try bench.rotation.intent?.write == .remove(SecretID("old")))
        var late = try draining()
        late.advance(.minutes(5))
        let stale = late.gate()
        late.advance(.seconds(60))
        #expect(try late.see(stale) == .checkActive)
    }
}

import KeyoverCore
import Testing

@Suite struct RotationMachinePathTests {
    /// The stages that a rotation goes through until it is over.
    private func stages(of bench: inout MachineBench) throws -> [Stage] {
        try bench.order(.resumed)
        var seen: [Stage] = []
        for _ in 0..<40 {
            guard let stage = bench.stage else { break }
            if seen.last != stage { seen.append(stage) }
            try bench.step()
        }
        return seen
    }

    @Test func overlapAddGoesStraight() throws {
        var bench = try MachineBench()
        let expected: [Stage] = [
            .minting, .staged, .verifying, .cutOver, .draining, .retiring, .proving, .completed,
        ]
        #expect(try stages(of: &bench) == expected)
        #expect(bench.effect == .finish(.completed))
        #expect(bench.record.primary.secretID == SecretID("new"))
        #expect(bench.record.secondary == nil)
        #expect(bench.record.active == .primary)
        #expect(bench.record.generation == 2)
        #expect(bench.record.owned.map(\.secretID) == [SecretID("new")])
        #expect(bench.record.retired.map(\.secretID) == [SecretID("old")])
        #expect(bench.record.lastRotation?.outcome == .completed)
    }

    @Test func overlapAddTurnsTheOldSecretOffFirstWhereThatCanBeUndone() throws {
        var bench = try MachineBench { $0.reversibleDeactivate = true }
        bench.policy.soak = .minutes(1)
        let expected: [Stage] = [
            .minting, .staged, .verifying, .cutOver, .draining, .deactivating, .soaking, .retiring, .proving,
            .completed,
        ]
        #expect(try stages(of: &bench) == expected)
    }

    @Test func manualWaitsForThePersonTwice() throws {
        var bench = try MachineBench("manual", secretID: nil)
        #expect(try bench.order(.resumed) == .ask(.addSecret))
        #expect(bench.record.rotation?.waiting?.kind == .person)
        try bench.see(MachineBench.supplied())
        while bench.stage != .retiring { try bench.step() }
        #expect(bench.effect == .ask(.deleteSecret(.primary, nil)))
        try bench.see(.reportedDeleted)
        #expect(bench.stage == .proving)
        try bench.step()
        #expect(bench.effect == .finish(.completed))
        #expect(bench.record.primary.fingerprint == MachineBench.newFingerprint)
    }

    @Test func theIntentIsInTheRecordBeforeEachWriteAndGoneAfterIt() throws {
        var bench = try MachineBench { $0.reversibleDeactivate = true }
        try bench.order(.resumed)
        for _ in 0..<40 {
            guard let stage = bench.stage else { break }
            if case .send(let intent) = bench.effect { #expect(try bench.rotation.intent == intent) }
            if stage == .proving { #expect(try bench.rotation.intent == nil) }
            try bench.step()
        }
        #expect(bench.effect == .finish(.completed))
    }

    @Test func trafficMovesInOneWriteWithTheGeneration() throws {
        var bench = try MachineBench()
        try bench.go(to: .verifying)
        #expect(bench.record.active == .primary)
        #expect(bench.record.generation == 1)
        try bench.step()
        #expect(bench.stage == .cutOver)
        #expect(bench.record.active == .secondary)
        #expect(bench.record.generation == 2)
        #expect(bench.effect == .deliver)
    }

    @Test func aMintedSecretIsOwnedFromTheWriteThatStoresIt() throws {
        var bench = try MachineBench()
        try bench.go(to: .staged)
        #expect(bench.record.owned.map(\.secretID) == [SecretID("old"), SecretID("new")])
        #expect(bench.record.secondary?.fingerprint == MachineBench.newFingerprint)
    }

    @Test(arguments: [Stage.minting, .staged, .verifying, .cutOver, .draining, .retiring])
    func untilStopsAfterTheStageAndResumeGoesOn(goal: Stage) throws {
        var bench = try MachineBench()
        bench.until = goal
        try bench.order(.resumed)
        for _ in 0..<40 where bench.effect != .finish(.reachedStage) { try bench.step() }
        #expect(bench.effect == .finish(.reachedStage))
        let border: [Stage: Stage] = [.minting: .staged, .retiring: .proving]
        #expect(bench.stage == border[goal] ?? goal)
        #expect(try bench.order(.resumed) != nil)
        bench.until = nil
        try bench.order(.resumed)
        for _ in 0..<40 where bench.stage != nil { try bench.step() }
        #expect(bench.effect == .finish(.completed))
    }

    @Test func untilAStageThatLiesBehindStopsAtOnce() throws {
        var bench = try MachineBench()
        try bench.go(to: .draining)
        bench.until = .verifying
        #expect(try bench.order(.resumed) == .finish(.reachedStage))
        #expect(bench.stage == .draining)
    }

    @Test func windowsHoldTrafficBackAndLeaksDoNotWait() throws {
        struct Closed: RotationCalendar {
            func opening(from moment: Timestamp) -> Timestamp? { moment + .hours(5) }
        }
        var bench = try MachineBench()
        try bench.go(to: .verifying)
        bench.calendar = Closed()
        #expect(try bench.see(bench.accepted(.secondary)) == .wait(.hours(5)))
        #expect(bench.stage == .verifying)
        #expect(bench.record.rotation?.waiting?.kind == .window)
        try bench.order(.compromised(.primary))
        try bench.see(bench.accepted(.secondary))
        #expect(bench.stage == .cutOver)
    }

    @Test func anObservationThatDoesNotBelongToTheStageChangesNothing() throws {
        var bench = try MachineBench()
        try bench.go(to: .draining)
        let before = bench.record
        for observation in [MachineBench.minted(), .readBack(true), .reportedDeleted, MachineBench.supplied()] {
            #expect(throws: RotationError.self) { try bench.see(observation) }
        }
        #expect(bench.record == before)
    }
}

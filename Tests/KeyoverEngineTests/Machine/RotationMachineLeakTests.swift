import KeyoverCore
import Testing

@Suite struct RotationMachineLeakTests {
    private static let forward: [Stage] = [.minting, .staged, .verifying, .cutOver, .draining, .retiring, .proving]

    @Test(arguments: forward)
    func aLeakOfTheOldSecretGoesOnForward(stage: Stage) throws {
        var bench = try MachineBench()
        try bench.go(to: stage)
        try bench.order(.compromised(.primary))
        #expect(bench.stage == stage)
        #expect(try bench.rotation.compromised == .primary)
        #expect(!bench.record.primaryIsCompromised)
    }

    @Test(arguments: [Stage.staged, .verifying, .cutOver, .draining])
    func aLeakOfTheNewSecretGoesBackWithoutDraining(stage: Stage) throws {
        var bench = try MachineBench()
        try bench.go(to: stage)
        try bench.order(.compromised(.secondary))
        #expect(bench.stage == .precheck)
        for _ in 0..<20 where bench.stage != .removing { try bench.step() }
        #expect(bench.stage == .removing)
        #expect(bench.record.active == .primary)
    }

    @Test(arguments: [Stage.retiring, .proving])
    func aLeakOfTheNewSecretPastThePointOfNoReturnIsRememberedForTheNextRotation(stage: Stage) throws {
        var bench = try MachineBench()
        try bench.go(to: stage)
        if bench.effect == .checkActive { try bench.step() }
        try bench.order(.compromised(.secondary))
        #expect(bench.stage == stage)
        #expect(bench.record.primaryIsCompromised)
    }

    @Test func aLeakOfThePrimaryOnTheWayBackIsRememberedForTheNextRotation() throws {
        var bench = try MachineBench()
        try bench.go(to: .draining)
        try bench.order(.aborted)
        try bench.order(.compromised(.primary))
        #expect(bench.stage == .precheck)
        #expect(bench.record.primaryIsCompromised)
    }

    @Test func twoLeaksAreBothRemembered() throws {
        var bench = try MachineBench(compromised: .primary)
        try bench.go(to: .draining)
        try bench.order(.compromised(.secondary))
        #expect(bench.stage == .precheck)
        #expect(try bench.rotation.compromised == .secondary)
        #expect(bench.record.primaryIsCompromised)
    }

    @Test func aLeakDoesNotSkipVerification() throws {
        var bench = try MachineBench(compromised: .primary)
        try bench.go(to: .staged)
        #expect(try bench.see(.readBack(true)) == .verify(.secondary))
        try bench.see(.probed(.inconclusive(RotationMachine.Trouble("no answer"))))
        #expect(bench.stage == .verifying)
        #expect(bench.record.active == .primary)
    }

    @Test func aRefusedSecondaryDoesNotLeadBackToALeakedPrimary() throws {
        var bench = try MachineBench(compromised: .primary)
        try bench.go(to: .verifying)
        try bench.see(bench.refused(.secondary))
        #expect(bench.cause == .verificationFailed)
        #expect(bench.record.rotation?.attention?.exits == [.resume, .settle])
    }
}

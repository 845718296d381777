import KeyoverCore
import Testing

@Suite struct RotationMachineReturnTests {
    private func code(_ body: () throws -> Void) -> RotationError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? RotationError)?.code
        }
    }

    private func finish(_ bench: inout MachineBench) throws {
        for _ in 0..<40 where bench.stage != nil { try bench.step() }
    }

    @Test(arguments: [Stage.staged, .verifying, .cutOver, .draining, .deactivating, .soaking])
    func abortLeadsBackToThePrimary(from stage: Stage) throws {
        var bench = try MachineBench { $0.reversibleDeactivate = true }
        bench.policy.soak = .hours(1)
        try bench.go(to: stage)
        let hadMoved = bench.record.active == .secondary
        try bench.order(.aborted)
        #expect(bench.stage == .precheck)
        // A deactivation whose answer has not come may still be under way: it is waited for.
        bench.advance(.minutes(5))
        if case .wait = bench.effect { try bench.order(.resumed) }
        var seen: [Stage] = []
        for _ in 0..<40 {
            guard let stage = bench.stage else { break }
            seen.append(stage)
            if case .wait = bench.effect { try bench.order(.resumed) }
            try bench.step()
            bench.advance(.minutes(1))
        }
        #expect(bench.effect == .finish(.rolledBack))
        #expect(seen.contains(.switchBack) == hadMoved)
        #expect(seen.contains(.drainBack) == hadMoved)
        #expect(bench.record.primary.secretID == SecretID("old"))
        #expect(bench.record.active == .primary)
        #expect(bench.record.secondary == nil)
        #expect(bench.record.owned.map(\.secretID) == [SecretID("old")])
        #expect(bench.record.generation == (hadMoved ? 3 : 1))
    }

    @Test func abortBeforeAnythingWasMintedJustEnds() throws {
        var bench = try MachineBench("manual", secretID: nil)
        try bench.order(.resumed)
        #expect(try bench.order(.aborted) == .finish(.rolledBack))
        #expect(bench.record.rotation == nil)
    }

    @Test func abortWhileAMintIsOpenLooksForItFirst() throws {
        var bench = try MachineBench()
        try bench.go(to: .minting)
        try bench.step()
        #expect(try bench.order(.aborted) == .search)
        // Nothing is listed yet, which proves nothing.
        try bench.see(.listed([ListedSecret(id: SecretID("old"))]))
        #expect(bench.record.rotation?.waiting?.kind == .provider)
        #expect(try bench.order(.resumed) == .search)
        let tag = try #require(bench.rotation.tags.last)
        try bench.see(.listed([ListedSecret(id: SecretID("lost"), tag: tag)]))
        #expect(bench.record.owned.map(\.secretID) == [SecretID("old"), SecretID("lost")])
        try bench.see(bench.accepted(.primary))
        #expect(try bench.rotation.intent?.write == .remove(SecretID("lost")))
        try bench.see(.written(.done))
        #expect(bench.stage == .rolledBack)
        bench.advance(.minutes(5))
        try bench.order(.resumed)
        try bench.see(.listed([]))
        #expect(bench.effect == .finish(.rolledBack))
    }

    @Test func abortIsRefusedOnceTheRemovalMayHaveBeenSent() throws {
        var bench = try MachineBench()
        try bench.go(to: .retiring)
        if bench.effect == .checkActive { try bench.step() }
        #expect(try bench.rotation.intent != nil)
        #expect(code { try bench.order(.aborted) } == .pastPointOfNoReturn)
        try bench.step()
        #expect(bench.stage == .proving)
        #expect(code { try bench.order(.aborted) } == .pastPointOfNoReturn)
    }

    @Test func abortIsRefusedOnceAPersonWasAskedToDeleteTheOldSecret() throws {
        var bench = try MachineBench("manual", secretID: nil)
        try bench.order(.resumed)
        try bench.see(MachineBench.supplied())
        while bench.stage != .retiring { try bench.step() }
        #expect(code { try bench.order(.aborted) } == .pastPointOfNoReturn)
        try bench.order(.compromised(.secondary))
        #expect(bench.stage == .retiring)
        #expect(bench.record.primaryIsCompromised)
    }

    @Test func abortOfALeakIsRefused() throws {
        var bench = try MachineBench(compromised: .primary)
        try bench.go(to: .verifying)
        #expect(code { try bench.order(.aborted) } == .compromised)
    }

    @Test func abortIsRefusedWhileAFuseEndsTheOldSecretAnyway() throws {
        var bench = try MachineBench { $0.addStartsFuse = .hours(24) }
        try bench.go(to: .minting)
        try bench.step()
        try bench.see(MachineBench.minted(fuse: bench.now.wall + .hours(24)))
        #expect(code { try bench.order(.aborted) } == .pastPointOfNoReturn)
    }

    @Test func aFuseThatTheRemovalPutsOutLetsOneGoBackInTime() throws {
        var bench = try MachineBench {
            $0.addStartsFuse = .hours(24)
            $0.removalCancelsFuse = true
        }
        try bench.go(to: .minting)
        try bench.step()
        try bench.see(MachineBench.minted(fuse: bench.now.wall + .hours(24)))
        bench.advance(.hours(23))
        var late = bench
        try bench.order(.aborted)
        #expect(bench.stage == .precheck)
        late.advance(.hours(1))
        #expect(code { try late.order(.aborted) } == .pastPointOfNoReturn)
    }

    @Test func aDeadPrimaryUnderTrafficTurnsTheRotationForwardAgain() throws {
        var bench = try MachineBench()
        try bench.go(to: .verifying)
        try bench.order(.aborted)
        #expect(try bench.see(bench.refused(.primary)) == .verify(.secondary))
        #expect(bench.stage == .verifying)
    }

    @Test func aDeadPrimaryWithoutTrafficLeavesTrafficWhereItIs() throws {
        var bench = try MachineBench()
        try bench.go(to: .draining)
        try bench.order(.aborted)
        try bench.see(bench.refused(.primary))
        #expect(bench.cause == .primaryRejected)
        #expect(bench.record.active == .secondary)
    }

    @Test func theDrainBackIsAsLongAsTheDrain() throws {
        var bench = try MachineBench()
        bench.policy.consumerCache = .minutes(5)
        try bench.go(to: .draining)
        try bench.order(.aborted)
        try bench.see(bench.accepted(.primary))
        #expect(bench.stage == .switchBack)
        try bench.see(.delivered([]))
        #expect(try bench.see(bench.gate()) == .wait(.minutes(5)))
        bench.advance(.minutes(5))
        try bench.see(bench.gate())
        #expect(bench.stage == .removing)
    }

    @Test func aLostDeactivationIsWaitedForBeforeTrafficGoesBack() throws {
        var bench = try MachineBench { $0.reversibleDeactivate = true }
        try bench.go(to: .deactivating)
        if bench.effect == .checkActive { try bench.step() }
        try bench.see(.written(.lost("reset")))
        try bench.order(.aborted)
        #expect(try bench.rotation.intent?.write == .reactivate(SecretID("old")))
        try bench.see(.written(.done))
        // The lost request may still arrive: once it cannot, the old secret is turned on again.
        guard case .wait = bench.effect else {
            Issue.record("went on at once: \(String(describing: bench.effect))")
            return
        }
        bench.advance(.minutes(2))
        try bench.order(.resumed)
        #expect(try bench.rotation.intent?.write == .reactivate(SecretID("old")))
        try bench.see(.written(.done))
        #expect(bench.effect == .verify(.primary))
    }

    @Test func aFuseThatWinsTheRaceSparesTheNewSecretUnlessItWasTouched() throws {
        var bench = try MachineBench {
            $0.addStartsFuse = .hours(1)
            $0.removalCancelsFuse = true
        }
        try bench.go(to: .minting)
        try bench.step()
        try bench.see(MachineBench.minted(fuse: bench.now.wall + .hours(1)))
        try bench.order(.aborted)
        bench.advance(.hours(1))
        var touched = bench
        try bench.see(bench.accepted(.primary))
        #expect(bench.stage == .verifying)
        touched.now = MachineBench.start
        try touched.see(touched.accepted(.primary))
        #expect(try touched.rotation.intent?.write == .remove(SecretID("new")))
        touched.advance(.hours(1))
        #expect(try touched.order(.resumed) == .checkActive)
        #expect(touched.stage == .removing)
    }
}

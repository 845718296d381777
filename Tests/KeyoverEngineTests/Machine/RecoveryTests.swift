import KeyoverCore
import Testing

/// What the machine makes of a client that came out of a backup.
@Suite struct RecoveryTests {
    private static let forward: [Stage] = [
        .minting, .staged, .verifying, .cutOver, .draining, .deactivating, .soaking, .retiring, .proving, .completed,
    ]
    private let actor = Actor(uid: 0, host: "host-1")

    private func mark(_ bench: inout MachineBench) {
        bench.record.restored = Restoration(at: bench.now.wall, backedUpAt: bench.now.wall - .hours(1))
    }

    /// A client whose secrets are all dead, with the rotation that replaces them.
    private func dead(
        _ strategy: String = "overlap-add", secretID: SecretID? = SecretID("old"),
        _ change: (inout Capabilities) -> Void = { _ in }
    ) throws -> MachineBench {
        var bench = try MachineBench(strategy, secretID: secretID, change)
        let fresh = try bench.rotation
        bench.record.rotation = nil
        mark(&bench)
        bench.record.recover(by: fresh, seeing: [Evidence(.refused, slot: .primary, at: bench.now)], at: bench.now)
        return bench
    }

    @Test(arguments: [RotationMachine.Order.resumed, .aborted, .settled, .compromised(.primary)])
    func aMarkedClientObeysNobody(order: RotationMachine.Order) throws {
        var bench = try MachineBench()
        try bench.go(to: .draining)
        mark(&bench)
        let before = bench.record
        let error = #expect(throws: RotationError.self) { try bench.order(order) }
        #expect(error?.code == .restored)
        #expect(bench.record == before)
    }

    @Test(arguments: [RotationMachine.Order.resumed, .aborted, .settled, .compromised(.primary)], [false, true])
    func aClientThatHasMovedObeysNobodyHere(order: RotationMachine.Order, isRestored: Bool) throws {
        var bench = try MachineBench()
        try bench.go(to: .draining)
        if isRestored {
            mark(&bench)
            bench.record.rotation?.recovery = bench.record.restored
        }
        bench.record.moved = Relocation(to: "memory:", keyCommitment: "", at: bench.now.wall)
        let before = bench.record
        let error = #expect(throws: RotationError.self) { try bench.order(order) }
        #expect(error?.code == .moved)
        #expect(bench.record == before)
    }

    @Test(arguments: forward)
    func aRotationThatThePastInterruptedGoesOnThoughTheProviderWentFurther(stage: Stage) throws {
        var bench = try MachineBench { $0.reversibleDeactivate = true }
        try bench.go(to: stage)
        mark(&bench)
        let active = bench.record.active
        bench.record.recover(on: active, seeing: [], at: bench.now, by: actor)
        #expect(bench.record.restored == nil && bench.record.active == active)
        try bench.order(.resumed)
        for _ in 0..<40 where bench.stage != nil {
            if case .send(let intent) = bench.effect, intent.write.takesAway {
                // The rotation went to its end after the backup, so that what is to go is gone.
                try bench.see(.written(.refused(.notFound, "no such secret")))
            } else {
                try bench.step()
            }
        }
        #expect(bench.record.lastRotation?.outcome == .completed)
        #expect(bench.record.primary.secretID == SecretID("new"))
        #expect(bench.record.owned.map(\.secretID) == [SecretID("new")])
    }

    @Test(arguments: [Stage.draining, .deactivating, .soaking, .retiring])
    func aDrainBeginsAnewBecauseTrafficMayHaveBeenBackMeanwhile(stage: Stage) throws {
        var bench = try MachineBench { $0.reversibleDeactivate = true }
        try bench.go(to: stage)
        mark(&bench)
        bench.advance(.days(1))
        bench.record.recover(on: .secondary, seeing: [], at: bench.now, by: actor)
        try bench.order(.resumed)
        #expect(bench.effect == .deliver)
        try bench.see(.delivered([]))
        #expect(bench.effect == .observeGate)
        try bench.see(bench.gate())
        #expect(bench.effect == .wait(.minutes(5)))
    }

    @Test func anOpenMintIsNoOrphanBecauseApplicationsMayLiveOnIt() throws {
        var bench = try MachineBench()
        try bench.go(to: .minting)
        try bench.step()
        let tag = try #require(try bench.rotation.tags.last)
        mark(&bench)
        let fresh = MintTag.fresh(for: bench.record, word: "0123")
        let listed = [ListedSecret(id: SecretID("old")), ListedSecret(id: SecretID("later"), tag: fresh)]
        bench.record.adopt(listed, at: bench.now, by: actor)
        bench.record.recover(on: .primary, seeing: [], at: bench.now, by: actor)
        #expect(try !bench.rotation.tags.contains(tag))
        try bench.order(.resumed)
        #expect(bench.effect == .countSlots)
        try bench.see(.listed(listed))
        #expect(bench.effect == .wait(.minutes(5)), "readers keep what they were given for so long")
        bench.advance(.minutes(5))
        try bench.order(.resumed)
        try bench.see(.listed(listed))
        #expect(bench.effect == .checkActive)
        try bench.see(bench.accepted(.primary))
        #expect(try bench.rotation.intent?.write == .remove(SecretID("later")))
    }

    @Test func theWayBackDrainsTooBecauseTrafficMayHaveBeenForwardMeanwhile() throws {
        var bench = try MachineBench()
        try bench.go(to: .verifying)
        mark(&bench)
        bench.record.recover(on: .primary, seeing: [], at: bench.now, by: actor)
        try bench.order(.aborted)
        try bench.see(bench.accepted(.primary))
        #expect(bench.stage == .switchBack)
        try bench.see(.delivered([]))
        try bench.see(bench.gate())
        #expect(bench.effect == .wait(.minutes(5)))
    }

    @Test func trafficMovesToTheOtherSecretWhenOnlyThatOneWorks() throws {
        for (stage, survivor) in [(Stage.verifying, SlotName.secondary), (.draining, .primary)] {
            var bench = try MachineBench()
            try bench.go(to: stage)
            mark(&bench)
            let generation = bench.record.generation
            let value = bench.record[survivor]?.value
            bench.record.recover(on: survivor, seeing: [], at: bench.now, by: actor)
            #expect(bench.record.activeSlot.value == value && bench.record.secondary == nil)
            #expect(bench.record.generation == generation + 1 && bench.record.restored == nil)
            #expect(bench.record.rotation == nil && bench.record.lastRotation?.outcome == stage)
            #expect(bench.record.outbox.suffix(2).map(\.action) == ["traffic.moved", "client.recovered"])
            #expect(bench.record.owned.count == 2, "what the other slot held is answered for until it is gone")
        }
    }

    @Test func aLeakedSecretThatSurvivesIsStillALeakedOne() throws {
        var bench = try MachineBench(compromised: .primary)
        try bench.go(to: .draining)
        mark(&bench)
        bench.record.recover(on: .primary, seeing: [], at: bench.now, by: actor)
        #expect(bench.record.primaryIsCompromised)
    }

    @Test func deadSecretsAreReplacedAndTheMarkGoesWithTheCutOver() throws {
        var bench = try dead()
        bench.calendar = Never()
        try bench.go(to: .verifying)
        #expect(bench.record.restored != nil)
        try bench.see(bench.accepted(.secondary))
        #expect(bench.stage == .cutOver)
        #expect(bench.record.restored == nil && bench.record.active == .secondary)
        try bench.see(.delivered([]))
        try bench.see(bench.gate())
        #expect(bench.effect == .wait(.minutes(5)), "applications may live on what came after the backup")
        for _ in 0..<10 where bench.stage != nil { try bench.step() }
        #expect(bench.record.lastRotation?.outcome == .completed)
    }

    @Test func whatCameAfterTheBackupIsAdoptedAndGoesBehindTheGate() throws {
        var bench = try dead()
        let later = ListedSecret(id: SecretID("later"), tag: MintTag.fresh(for: bench.record, word: "0123"))
        let stranger = ListedSecret(id: SecretID("theirs"), tag: "keyover-0000000000000000-0123")
        bench.capabilities.maxSecrets = 5
        try bench.order(.resumed)
        try bench.see(.listed([later, stranger]))
        #expect(bench.record.owned.map(\.secretID).contains(later.id))
        #expect(!bench.record.owned.map(\.secretID).contains(stranger.id))
        try bench.see(MachineBench.minted())
        for _ in 0..<20 where bench.stage != .completed { try bench.step() }
        try bench.see(.listed([ListedSecret(id: SecretID("new")), later, stranger]))
        // The proof of the old one's death holds exchanges with the new one, so that it need not be proven again.
        #expect(try bench.rotation.intent?.write == .remove(later.id))
        try bench.see(.written(.done))
        try bench.see(.listed([ListedSecret(id: SecretID("new")), stranger]))
        #expect(bench.record.rotation == nil)
        #expect(bench.record.owned.map(\.secretID) == [SecretID("new")])
    }

    @Test func noRoomIsAQuestionThatNamesWhatTakesIt() throws {
        var bench = try dead()
        let later = ListedSecret(id: SecretID("later"), tag: MintTag.fresh(for: bench.record, word: "0123"))
        try bench.order(.resumed)
        try bench.see(.listed([later, ListedSecret(id: SecretID("theirs"), isActive: false)]))
        #expect(bench.cause == .quotaFull)
        let attention = try #require(try bench.rotation.attention)
        #expect(attention.message.contains("later (minted here after the backup)"))
        #expect(attention.message.contains("theirs (not known here, turned off)"))
        #expect(attention.exits == [.resume, .abort], "there is nothing to settle on")
        #expect(bench.record.owned.map(\.secretID).contains(later.id))
    }

    @Test func aMintThatGotLostUnderRecoveryMakesRoomForTheNextOne() throws {
        var bench = try dead()
        try bench.order(.resumed)
        try bench.see(.listed([]))
        let tag = try #require(try bench.rotation.tags.last)
        try bench.see(.written(.lost("reset")))
        try bench.see(.listed([ListedSecret(id: SecretID("lost"), tag: tag)]))
        // No secret works that could be proven before; and nobody was given this one.
        #expect(try bench.rotation.intent?.write == .remove(SecretID("lost")))
        guard case .send = bench.effect else {
            Issue.record("\(String(describing: bench.effect))")
            return
        }
    }

    @Test func anAbortedRecoveryLeavesTheClientMarked() throws {
        var bench = try dead()
        try bench.go(to: .verifying)
        try bench.order(.aborted)
        #expect(bench.stage == .removing)
        try bench.see(.written(.done))
        #expect(bench.stage == .rolledBack)
        try bench.see(.listed([]))
        #expect(bench.record.rotation == nil && bench.record.secondary == nil)
        #expect(bench.record.restored != nil)
        #expect(bench.record.lastRotation?.outcome == .rolledBack)
    }

    @Test func afterTheCutOverOfARecoveryThereIsNoWayBack() throws {
        var bench = try dead()
        try bench.go(to: .draining)
        let error = #expect(throws: RotationError.self) { try bench.order(.aborted) }
        #expect(error?.code == .pastPointOfNoReturn)
        try bench.see(bench.gate(active: .refused("refused", [])))
        #expect(bench.cause == .activeRejected)
    }

    @Test func aPersonIsNotAskedToDeleteWhatIsDead() throws {
        var bench = try dead("manual", secretID: nil)
        try bench.order(.resumed)
        #expect(bench.effect == .ask(.addSecret))
        try bench.see(MachineBench.supplied())
        for _ in 0..<6 where bench.stage != .proving { try bench.step() }
        #expect(bench.effect == .prove(.primary))
        try bench.see(bench.refused(.primary))
        #expect(bench.record.lastRotation?.outcome == .completed)
    }

    @Test func aRecoveryThatAnOlderBackupHadBegunIsStale() throws {
        var bench = try dead()
        try bench.go(to: .verifying)
        bench.advance(.days(1))
        mark(&bench)
        #expect(!bench.record.isUnderRecovery)
        #expect(throws: RotationError.self) { try bench.order(.resumed) }
    }

    /// A calendar without a window.
    private struct Never: RotationCalendar {
        func opening(from moment: Timestamp) -> Timestamp? { nil }
    }
}

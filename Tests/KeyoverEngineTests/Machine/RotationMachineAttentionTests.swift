import KeyoverCore
import Testing

@Suite struct RotationMachineAttentionTests {
    private let trouble = RotationMachine.Trouble("no answer")

    @Test func aMintIntoFullSlotsAsksAPerson() throws {
        var bench = try MachineBench()
        try bench.order(.resumed)
        try bench.see(.listed([ListedSecret(id: SecretID("old")), ListedSecret(id: SecretID("theirs"))]))
        #expect(bench.cause == .quotaFull)
        #expect(bench.effect == .finish(.needsAttention))
    }

    @Test func whatIsOwnedAndInNoSlotMakesRoom() throws {
        var bench = try MachineBench()
        bench.record.owned.append(OwnedSecret(secretID: SecretID("left"), tag: "tag", since: bench.now.wall))
        try bench.order(.resumed)
        try bench.see(.listed([ListedSecret(id: SecretID("old")), ListedSecret(id: SecretID("left"))]))
        #expect(bench.effect == .checkActive)
        try bench.see(bench.accepted(.primary))
        #expect(try bench.rotation.intent?.write == .remove(SecretID("left")))
    }

    @Test func aLostMintThatCannotBeRecognisedAsksAPerson() throws {
        var bench = try MachineBench { $0.mintRepair = .attention }
        try bench.go(to: .minting)
        try bench.step()
        try bench.see(.written(.lost("reset")))
        try bench.see(.listed([ListedSecret(id: SecretID("old")), ListedSecret(id: SecretID("strange"))]))
        #expect(bench.cause == .ambiguousOrphan)
        #expect(bench.record.owned.map(\.secretID) == [SecretID("old")])
    }

    @Test func aPrimaryWithoutAnIDIsNoAmbiguousOrphan() throws {
        var bench = try MachineBench(secretID: nil) { $0.mintRepair = .attention }
        try bench.go(to: .minting)
        try bench.step()
        try bench.see(.written(.lost("reset")))
        try bench.see(.listed([ListedSecret(id: SecretID("adopted"))]))
        #expect(bench.cause == nil)
    }

    @Test func anEmptyListProvesNothingBeforeEverythingCouldHaveArrived() throws {
        var bench = try MachineBench { $0.propagationBound = .seconds(20) }
        try bench.go(to: .minting)
        try bench.step()
        try bench.see(.written(.lost("reset")))
        // 30 s in which it may be sent, 60 s to commit, 20 s to be seen.
        bench.advance(.seconds(109))
        try bench.see(.listed([]))
        #expect(bench.effect == .wait(.seconds(1)))
        #expect(try bench.rotation.intent != nil)
        bench.advance(.seconds(1))
        try bench.order(.resumed)
        try bench.see(.listed([]))
        #expect(bench.effect == .countSlots)
        #expect(try bench.rotation.intent == nil)
    }

    @Test func aProviderThatRefusesAsksAPersonAndOneThatIsBusyDoesNot() throws {
        for (failure, cause) in [
            (FailureClass.scopeInsufficient, Attention.Cause.providerRefused), (.unknown, .providerRefused),
            (.quotaFull, .quotaFull),
        ] {
            var bench = try MachineBench()
            try bench.go(to: .minting)
            try bench.step()
            try bench.see(.written(.refused(failure, "no")))
            #expect(bench.cause == cause)
        }
        var bench = try MachineBench()
        try bench.go(to: .minting)
        try bench.step()
        try bench.see(.written(.refused(.rateLimited(retryAfter: .seconds(42)), "slow down")))
        #expect(bench.effect == .wait(.seconds(42)))
        #expect(try bench.order(.resumed) == .countSlots)
    }

    @Test func aMangledValueIsNotVerifiedOrGivenToAnyone() throws {
        var bench = try MachineBench()
        try bench.go(to: .staged)
        try bench.see(.readBack(false))
        #expect(bench.cause == .readBackMismatch)
        #expect(bench.record.active == .primary)
    }

    @Test func aMangledValueGivesWayToAnotherSecret() throws {
        var bench = try MachineBench()
        try bench.go(to: .staged)
        try bench.see(.readBack(false))
        try bench.order(.resumed)
        #expect(bench.stage == .minting)
        #expect(bench.record.secondary == nil)
        #expect(bench.record.owned.contains { $0.secretID == SecretID("new") }, "it is answered for until it is gone")
        #expect(bench.effect == .checkActive, "nothing is removed while the active secret may be dead")
        try bench.see(bench.accepted(.primary))
        try bench.see(.written(.done))
        #expect(!bench.record.owned.contains { $0.secretID == SecretID("new") })
        try bench.step()
        try bench.see(MachineBench.minted(SecretID("newer")))
        try bench.see(.readBack(true))
        #expect(bench.stage == .verifying)
        #expect(bench.record.secondary?.secretID == SecretID("newer"))
    }

    @Test func aMangledValueOfALeakedSecretsReplacementIsNoDeadEnd() throws {
        var bench = try MachineBench()
        try bench.go(to: .staged)
        try bench.order(.compromised(.primary))
        try bench.see(.readBack(false))
        #expect(throws: RotationError.self) { try bench.order(.aborted) }
        try bench.order(.resumed)
        try bench.see(bench.refused(.primary))
        #expect(bench.cause == .activeRejected)
        try bench.order(.resumed)
        try bench.step()
        #expect(bench.stage == .minting, "what is left waits for the sweep: a new secret ends the outage")
        try bench.see(MachineBench.minted(SecretID("newer")))
        #expect(bench.stage == .staged)
    }

    @Test func aSecondaryThatIsRefusedRollsBackAndAnUnacceptableOneAsks() throws {
        var bench = try MachineBench()
        try bench.go(to: .verifying)
        var other = bench
        try bench.see(bench.refused(.secondary))
        #expect(bench.stage == .precheck)
        try other.see(.probed(.unacceptable("the grant lacks the scope read")))
        #expect(other.cause == .verificationFailed)
        #expect(other.record.rotation?.attention?.exits == [.resume, .abort, .settle])
    }

    @Test func patienceEndsInAQuestion() throws {
        var verifying = try MachineBench()
        try verifying.go(to: .verifying)
        for _ in 0..<10 { try verifying.see(.probed(.inconclusive(trouble))) }
        #expect(verifying.cause == nil)
        try verifying.see(.probed(.inconclusive(trouble)))
        #expect(verifying.cause == .verificationFailed)

        var proving = try MachineBench()
        try proving.go(to: .proving)
        for _ in 0...10 { try proving.see(.probed(.inconclusive(trouble))) }
        #expect(proving.cause == .unproven)

        var draining = try MachineBench()
        try draining.go(to: .draining)
        for _ in 0...30 { try draining.see(draining.gate(active: .inconclusive(trouble))) }
        #expect(draining.cause == .activeRejected)
    }

    @Test func retriesSlowDownToAMinute() throws {
        var bench = try MachineBench()
        try bench.order(.resumed)
        var pauses: [TimeSpan] = []
        for _ in 0..<8 {
            guard case .wait(let span) = try bench.see(.unavailable(trouble)) else { break }
            pauses.append(span)
        }
        #expect(pauses.map(\.milliseconds) == [1, 2, 4, 8, 16, 32, 60, 60].map { $0 * 1000 })
    }

    @Test func anActiveSecretThatIsRefusedTurnsBackBeforeTheRemovalAndAsksAfterIt() throws {
        var draining = try MachineBench()
        try draining.go(to: .draining)
        try draining.see(draining.gate(active: .refused("refused", [])))
        #expect(draining.stage == .precheck)
        #expect(draining.record.active == .secondary)

        var retiring = try MachineBench()
        try retiring.go(to: .retiring)
        if retiring.effect == .checkActive { try retiring.step() }
        try retiring.see(.written(.lost("reset")))
        retiring.advance(.minutes(2))
        #expect(try retiring.order(.resumed) == .checkActive)
        try retiring.see(retiring.refused(.secondary))
        #expect(retiring.cause == .activeRejected)
        #expect(retiring.record.rotation?.attention?.exits == [.resume, .settle])
    }

    @Test func aComplaintInTheSoakTurnsBack() throws {
        var bench = try MachineBench { $0.reversibleDeactivate = true }
        bench.policy.soak = .hours(1)
        try bench.go(to: .soaking)
        let consumer = try #require(ConsumerName("web-1"))
        let entry = LedgerEntry(
            consumer: consumer, generation: 2, seen: bench.now, lease: .minutes(1), rejected: 2)
        try bench.see(bench.gate([entry]))
        #expect(bench.stage == .precheck)
        #expect(try bench.rotation.intent?.write == .reactivate(SecretID("old")))
    }

    @Test func anOldSecretThatStillWorksIsLoudAndProvenAnewAfterwards() throws {
        var bench = try MachineBench()
        try bench.go(to: .proving)
        try bench.see(.probed(.accepted([])))
        #expect(bench.cause == .oldStillWorks)
        bench.advance(.hours(1))
        #expect(try bench.order(.resumed) == .prove(.primary))
        #expect(try bench.rotation.removedAt == bench.now)
    }

    @Test func afterALeakUnknownSecretsAtTheProviderAsk() throws {
        var bench = try MachineBench(compromised: .primary)
        try bench.go(to: .completed)
        try bench.see(.listed([ListedSecret(id: SecretID("new")), ListedSecret(id: SecretID("whose"))]))
        #expect(bench.cause == .unknownSecrets)
        try bench.order(.resumed)
        try bench.see(.listed([ListedSecret(id: SecretID("new"))]))
        #expect(bench.effect == .finish(.completed))
    }

    @Test func aFuseThatIsNearAsksWhereNothingPutsItOut() throws {
        var bench = try MachineBench { $0.addStartsFuse = .hours(4) }
        try bench.go(to: .minting)
        try bench.step()
        try bench.see(MachineBench.minted(fuse: bench.now.wall + .hours(4)))
        try bench.see(.readBack(true))
        bench.advance(.minutes(185))
        try bench.see(.probed(.inconclusive(trouble)))
        #expect(bench.cause == .deadlineNear)
        #expect(bench.record.rotation?.attention?.deadline == bench.record.rotation?.fuse)
        #expect(bench.record.rotation?.attention?.exits == [.resume, .settle])
    }

    @Test func settlingEndsHereWithTheActiveSecret() throws {
        var bench = try MachineBench()
        try bench.go(to: .draining)
        #expect(throws: RotationError.self) { try bench.order(.settled) }
        try bench.see(.unavailable(RotationMachine.Trouble("forbidden", needsPerson: true)))
        #expect(bench.cause == .providerRefused)
        #expect(try bench.order(.settled) == .finish(.settled))
        #expect(bench.record.primary.secretID == SecretID("new"))
        // The old secret is still there, so it stays owned until a rotation removes it.
        #expect(bench.record.owned.map(\.secretID) == [SecretID("old"), SecretID("new")])
        #expect(bench.record.lastRotation?.outcome == .needsAttention)
    }

    @Test func theSecretInForceIsNoSecondary() throws {
        var bench = try MachineBench("manual", secretID: nil)
        try bench.order(.resumed)
        #expect(throws: RotationError.self) { try bench.see(MachineBench.supplied("old", Fingerprint(bytes: [1]))) }
        #expect(bench.stage == .minting)
    }
}

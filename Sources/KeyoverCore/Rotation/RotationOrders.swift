extension RotationMachine {
    /// What people and runners want, in any stage.
    mutating func obey(_ order: Order) throws(RotationError) -> Effect {
        switch order {
        case .resumed: return resumed()
        case .aborted: return try aborted()
        case .compromised(let slot): return compromised(slot)
        case .settled: return try settled()
        case .drainAccepted(let consumers): return drainAccepted(consumers)
        }
    }

    private mutating func resumed() -> Effect {
        if let attention = rotation.attention {
            rotation.stage = attention.from
            rotation.attention = nil
            rotation.failures = 0
            if attention.from == .minting, attention.cause == .activeRejected { leaveOrphans() }
            if attention.cause == .readBackMismatch { mintAnew() }
            // Somebody may have removed it only now, so the replicas get their time again.
            if attention.cause == .oldStillWorks { rotation.removedAt = context.now }
            note("rotation.resumed", ["cause": attention.cause.rawValue])
        }
        return isBeyondGoal ? .finish(.reachedStage) : work()
    }

    /// Gives up a new secret whose value the vault has not kept: nobody has it, so another one is needed.
    private mutating func mintAnew() {
        // A person may hand the same one over again; no call could remove it there either.
        if context.strategy.provision != .person, let id = record.secondary?.secretID, !rotation.orphans.contains(id) {
            rotation.orphans.append(id)
        }
        dropSecondary(isGone: false)
        rotation.mintedAt = nil
        rotation.stage = .minting
        rotation.enteredAt = context.now
    }

    /// Goes on without removing what a lost mint left behind.
    ///
    /// While the active secret is dead nothing may be removed, and only a new secret ends the outage. What is left stays
    /// owned, and the sweep at the end finds it.
    private mutating func leaveOrphans() {
        rotation.orphans = []
        if rotation.intent?.write.takesAway == true { rotation.intent = nil }
    }

    private mutating func aborted() throws(RotationError) -> Effect {
        if rotation.compromised != nil {
            throw RotationError(
                .compromised, "the rotation of \(record.name) leaves a leaked secret behind and is not aborted",
                remedy: "run keyover resume \(record.name)")
        }
        let stage = rotation.attention?.from ?? rotation.stage
        if stage.isRollingBack {
            return resumed()
        }
        if isPastPointOfNoReturn(stage) {
            throw RotationError(
                .pastPointOfNoReturn,
                "the old secret of \(record.name) may already be gone; traffic stays on the new one",
                remedy: "run keyover resume \(record.name)")
        }
        if fuseClosesWayBack {
            throw RotationError(
                .pastPointOfNoReturn, "the provider is ending the old secret of \(record.name); only forward is safe",
                remedy: "run keyover resume \(record.name)")
        }
        note("rotation.aborted", ["stage": stage.rawValue])
        rotation.attention = nil
        rotation.stage = stage
        if stage == .minting {
            rotation.isAborting = true
            return work()
        }
        return goBack()
    }

    private mutating func compromised(_ slot: SlotName) -> Effect {
        let stage = rotation.attention?.from ?? rotation.stage
        note("rotation.compromised", ["slot": slot.rawValue, "stage": stage.rawValue])
        let leakedOnItsWayOut = stage.isRollingBack ? SlotName.secondary : .primary
        if slot == leakedOnItsWayOut {
            rotation.compromised = slot
            return resumed()
        }
        if stage.isRollingBack || isPastPointOfNoReturn(stage) || record.secondary == nil || fuseClosesWayBack {
            // The leaked secret is the one that stays: this rotation ends, and the next begins at once.
            record.primaryIsCompromised = true
            return resumed()
        }
        if rotation.compromised == .primary {
            // Both have leaked: back to the one, and from there to a third at once.
            record.primaryIsCompromised = true
        }
        rotation.attention = nil
        rotation.compromised = slot
        rotation.stage = stage
        return goBack()
    }

    private mutating func settled() throws(RotationError) -> Effect {
        guard rotation.attention != nil else {
            throw RotationError(
                .wrongInput, "the rotation of \(record.name) needs no settling: it is in the stage \(rotation.stage)",
                remedy: "run keyover resume \(record.name) or keyover abort \(record.name)")
        }
        try record.requireVerified()
        note("rotation.settled", ["active": record.active.rawValue])
        if record.active == .secondary { promote(evidence: []) }
        dropSecondary(isGone: false)
        archive(.needsAttention)
        return .finish(.settled)
    }

    private mutating func drainAccepted(_ consumers: [ConsumerName]) -> Effect {
        for consumer in consumers where !rotation.acceptedUndrained.contains(consumer) {
            rotation.acceptedUndrained.append(consumer)
            note("rotation.drainAccepted", ["consumer": consumer.description])
        }
        return resumed()
    }

    /// Whether the provider write that cannot be undone may have been sent.
    func isPastPointOfNoReturn(_ stage: Stage) -> Bool {
        // The primary was dead before a recovery began.
        if rotation.recovery != nil, record.active == .secondary { return true }
        let path = context.strategy.path(context.capabilities)
        guard let here = path.firstIndex(of: stage),
            let border = path.firstIndex(of: context.strategy.pointOfNoReturn)
        else { return false }
        let isOff = record.primary.secretID.map { $0 == rotation.turnedOff } ?? false
        let hasBegun = rotation.intent != nil || rotation.deletionWasAsked || isOff || rotation.removedAt != nil
        return here > border || here == border && hasBegun
    }
}

/// What becomes of a client that came out of a backup, once its secrets were tried; each in one swap of its record.
///
/// The provider may have gone on since the backup: finished the rotation in progress, gone back on it, or been through
/// ten others. Applications that run meanwhile may hold any secret that was ever given out, so whatever is found is taken
/// away only after they had the time that the drain gate gives.
extension ClientRecord {
    /// The secret of this slot works: readers are given it from here on.
    ///
    /// The rotation in progress goes on from where it can be trusted, unless traffic has to move away from its end.
    public mutating func recover(on slot: SlotName, seeing evidence: [Evidence], at now: ClockReading, by actor: Actor)
    {
        guard let restored else { return }
        let details = restored.details(of: slot, in: self)
        self[slot]?.verifiedAt = now
        if slot == active {
            // Whoever holds a secret of the time that is undone has to ask again.
            if rotation?.takeUpAgain(active, seeing: evidence, at: now) == true { generation += 1 }
        } else {
            generation += 1
            endRotation(on: slot, seeing: evidence, at: now, by: actor)
            note(
                "traffic.moved", ["slot": slot.rawValue, "generation": String(generation)], actor: actor, at: now.wall)
        }
        self.restored = nil
        note("client.recovered", details, rotation: rotation, actor: actor, at: now.wall)
    }

    /// No secret works any more: a rotation that replaces them begins, and the mark stays until its new one is verified.
    public mutating func recover(by recovery: Rotation, seeing evidence: [Evidence], at now: ClockReading) {
        endRotation(on: active, seeing: evidence, at: now, by: recovery.startedBy)
        primaryIsCompromised = false
        var recovery = recovery
        recovery.recovery = restored
        recovery.evidence = evidence
        rotation = recovery
        note(
            "rotation.started", ["strategy": recovery.strategy.description, "purpose": "recovery"],
            rotation: recovery, actor: recovery.startedBy, at: now.wall)
    }

    /// Answers for what bears this client's tag and is not known: it was minted after the backup.
    public mutating func adopt(_ listed: [ListedSecret], at now: ClockReading, by actor: Actor) {
        for secret in listed where MintTag.isOurs(secret.tag, self) {
            guard !owned.contains(where: { $0.secretID == secret.id }) else { continue }
            owned.append(OwnedSecret(secretID: secret.id, tag: secret.tag, since: now.wall, foundAt: now))
            note(
                "secret.adopted", ["secretID": secret.id.description, "tag": secret.tag ?? ""], rotation: rotation,
                actor: actor, at: now.wall)
        }
    }

    /// Ends the rotation in progress as stale, on the slot that stays; what the other one held stays owned.
    private mutating func endRotation(
        on slot: SlotName, seeing evidence: [Evidence], at now: ClockReading, by actor: Actor
    ) {
        defer { active = .primary }
        guard let stale = rotation else { return }
        let stage = stale.attention?.from ?? stale.stage
        note(
            "rotation.stale", ["stage": stage.rawValue, "slot": slot.rawValue], rotation: stale, actor: actor,
            at: now.wall)
        if let leaving = self[slot.other], secondary != nil {
            remember(leaving, of: stale.id, evidence: evidence, at: now.wall)
        }
        if slot == .secondary, let secondary { primary = secondary }
        secondary = nil
        if stale.compromised == slot { primaryIsCompromised = true }
        archive(stale, as: stage, at: now.wall)
    }
}

extension Rotation {
    /// Goes on after a restore with the active secret, which works.
    ///
    /// Since the backup traffic may have been on the other secret, so a drain begins anew, announcements included; and a
    /// mint whose answer was open then may be what applications use now, so it is no orphan to be removed at once.
    /// Answers whether traffic has to be announced anew.
    fileprivate mutating func takeUpAgain(
        _ active: SlotName, seeing evidence: [Evidence], at now: ClockReading
    ) -> Bool {
        self.evidence = Array((self.evidence + evidence).suffix(Self.evidenceLimit))
        claim = nil
        activeAcceptedAt = nil
        switch (attention?.from ?? stage, active) {
        case (.minting, _):
            guard case .add(let tag) = intent?.write else { break }
            intent = nil
            tags.removeAll { $0 == tag }
        case (.cutOver, .secondary), (.draining, .secondary), (.deactivating, .secondary), (.soaking, .secondary),
            (.retiring, .secondary):
            announceAgain(in: .cutOver, at: now)
            return true
        case (.switchBack, .primary), (.drainBack, .primary):
            announceAgain(in: .switchBack, at: now)
            return true
        case (.staged, _), (.verifying, _), (.precheck, _):
            switchedAt = now
        case (.cutOver, _), (.switchBack, _), (.draining, _), (.deactivating, _), (.soaking, _), (.retiring, _),
            (.proving, _), (.completed, _),
            (.drainBack, _), (.removing, _), (.provingRemoved, _), (.rolledBack, _), (.needsAttention, _):
            break
        }
        return false
    }

    private mutating func announceAgain(in stage: Stage, at now: ClockReading) {
        self.stage = stage
        attention = nil
        waiting = nil
        intent = nil
        deactivatedAt = nil
        turnedOff = nil
        enteredAt = now
        switchedAt = now
        deliveries = []
        failures = 0
    }
}

extension Restoration {
    /// What the audit log says about the secret that a client was recovered on.
    func details(of slot: SlotName, in record: ClientRecord) -> [String: String] {
        [
            "slot": slot.rawValue, "secretID": record[slot]?.secretID?.description ?? "unknown",
            "restoredAt": at.description, "backedUpAt": backedUpAt.description,
        ]
    }
}

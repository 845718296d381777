/// The moves between stages: the only places where a rotation enters a stage, moves traffic, or ends.
extension RotationMachine {
    /// The machine's record with the rotation put back into it, unless the rotation has ended.
    func closed() -> ClientRecord {
        var result = record
        if result.rotation != nil { result.rotation = rotation }
        return result
    }

    /// Goes on to the next stage of the strategy's path, if the admin and the calendar let it.
    mutating func advance() -> Effect {
        if isAtGoal { return .finish(.reachedStage) }
        let next = context.strategy.stage(after: rotation.stage, context.capabilities)
        if next == .cutOver || next == .retiring, let wait = waitForWindow() { return wait }
        return enter(next)
    }

    /// Enters a stage, does what entering it means, and says what it calls for.
    mutating func enter(_ stage: Stage) -> Effect {
        rememberLostDeactivation()
        rotation.stage = stage
        rotation.enteredAt = context.now
        rotation.intent = nil
        rotation.failures = 0
        note("rotation.\(stage.rawValue)", [:])
        switch stage {
        case .cutOver:
            moveTraffic(to: .secondary)
            unlock()
        case .switchBack: moveTraffic(to: .primary)
        case .completed: promote(evidence: rotation.evidence)
        case .rolledBack: dropSecondary(isGone: true)
        case .minting, .staged, .verifying, .draining, .deactivating, .soaking, .retiring, .proving, .precheck,
            .drainBack, .removing, .provingRemoved, .needsAttention:
            break
        }
        return isBeyondGoal ? .finish(.reachedStage) : work()
    }

    /// Whether the stage after which to stop is the present one or lies behind.
    var isAtGoal: Bool { distanceToGoal.map { $0 <= 0 } ?? false }

    /// Whether the stage after which to stop lies behind; from `completed` the last sweep only is left.
    var isBeyondGoal: Bool { rotation.stage != .completed && distanceToGoal.map { $0 < 0 } ?? false }

    private var distanceToGoal: Int? {
        let path = context.strategy.path(context.capabilities)
        guard let goal = context.until.flatMap(path.firstIndex), let here = path.firstIndex(of: rotation.stage) else {
            return nil
        }
        return goal - here
    }

    private mutating func moveTraffic(to slot: SlotName) {
        record.active = slot
        record.generation += 1
        rotation.switchedAt = context.now
        rotation.activeAcceptedAt = nil
        rotation.deliveries = []
        note("traffic.moved", ["slot": slot.rawValue, "generation": String(record.generation)])
    }

    /// The secondary becomes the primary; the value of the old one is erased.
    mutating func promote(evidence: [Evidence]) {
        guard let secondary = record.secondary else { return }
        remember(record.primary, evidence: evidence)
        if rotation.removedAt != nil { disown(record.primary.secretID) }
        record.primary = secondary
        record.secondary = nil
        record.active = .primary
    }

    /// Erases the value of the secondary; one that is not gone at the provider stays owned.
    mutating func dropSecondary(isGone: Bool) {
        guard let secondary = record.secondary else { return }
        remember(secondary, evidence: rotation.evidence)
        if isGone { disown(secondary.secretID) }
        record.secondary = nil
        record.active = .primary
    }

    private mutating func remember(_ slot: Slot, evidence: [Evidence]) {
        record.remember(slot, of: rotation.id, evidence: evidence, at: context.now.wall)
    }

    /// Strikes a secret that is gone off the list of those that Keyover answers for.
    mutating func disown(_ id: SecretID?) {
        record.owned.removeAll { $0.secretID == id }
    }

    /// Ends the rotation: its summary stays.
    mutating func archive(_ outcome: Stage) {
        record.archive(rotation, as: outcome, at: context.now.wall)
    }

    /// Goes back to the primary, unless that one has leaked or the way back is closed.
    mutating func turnBack(_ cause: Attention.Cause, _ why: String) -> Effect {
        if rotation.compromised == .primary || isPastPointOfNoReturn(rotation.stage) { return attention(cause, why) }
        if fuseClosesWayBack { return attention(.deadlineNear, why) }
        note("rotation.turnedBack", ["why": why])
        return goBack()
    }

    /// Begins the way back: by proving the primary, unless that one was found dead before the rotation began.
    mutating func goBack() -> Effect { enter(record.isUnderRecovery ? .removing : .precheck) }

    /// A recovery has brought in a secret that works: the client is given out again.
    private mutating func unlock() {
        guard let restored = record.restored else { return }
        record.restored = nil
        note("client.recovered", restored.details(of: .secondary, in: record))
    }

    /// Stops for a person.
    mutating func attention(_ cause: Attention.Cause, _ message: String) -> Effect {
        let from = rotation.stage
        // Under recovery the active secret is dead, so there is nothing to settle on.
        var exits: [Attention.Exit] = record.isUnderRecovery ? [.resume] : [.resume, .settle]
        if !from.isRollingBack, rotation.compromised == nil, !isPastPointOfNoReturn(from), !fuseClosesWayBack {
            exits.insert(.abort, at: 1)
        }
        rotation.attention = Attention(
            cause, from: from, message: message, deadline: rotation.fuse, exits: exits)
        rotation.stage = .needsAttention
        note("rotation.needsAttention", ["cause": cause.rawValue, "from": from.rawValue, "message": message])
        return .finish(.needsAttention)
    }

    /// Waits for a person at the provider's console.
    mutating func ask(_ step: ManualStep) -> Effect {
        let message =
            switch step {
            case .addSecret: "an admin to add a second secret"
            case .deleteSecret(let slot, _): "an admin to delete the \(slot == .primary ? "old" : "new") secret"
            }
        if case .deleteSecret(.primary, _) = step { rotation.deletionWasAsked = true }
        rotation.waiting = Waiting(.person, message, until: nil)
        return .ask(step)
    }

    /// Waits and looks again.
    mutating func wait(_ kind: Waiting.Kind, _ message: String, _ span: TimeSpan) -> Effect {
        let bounded = max(span, .milliseconds(1))
        rotation.waiting = Waiting(kind, message, until: context.now.wall + bounded)
        return .wait(bounded)
    }

    /// Tries again after a pause that doubles from one second to a minute, or after what the server asked for.
    mutating func retry(_ trouble: Trouble) -> Effect {
        if trouble.needsPerson { return attention(.providerRefused, trouble.message) }
        rotation.failures += 1
        let pause = TimeSpan.seconds(1) * Int64(1 << min(rotation.failures - 1, 6))
        return wait(.provider, trouble.message, max(trouble.retryAfter ?? .zero, min(pause, .minutes(1))))
    }

    private mutating func waitForWindow() -> Effect? {
        guard rotation.compromised == nil, !fuseIsNear, !rotation.primaryIsDead, rotation.recovery == nil else {
            return nil
        }
        guard let opening = context.calendar.opening(from: context.now.wall) else {
            return wait(.window, "no rotation window is in sight", .days(1))
        }
        guard opening > context.now.wall else { return nil }
        return wait(.window, "the next rotation window", opening - context.now.wall)
    }

    /// Whether the provider is about to let the old secret expire by itself: the last quarter of the fuse, or hour.
    var fuseIsNear: Bool {
        guard let litAt = rotation.fuseLitAt, let span = rotation.fuseSpan else { return false }
        return span - context.now.elapsedAtMost(since: litAt) < min(.hours(1), .milliseconds(span.milliseconds / 4))
    }

    /// Whether the old secret may have expired by itself.
    var fuseHasEnded: Bool {
        guard let litAt = rotation.fuseLitAt, let span = rotation.fuseSpan else { return false }
        return context.now.elapsedAtMost(since: litAt) >= span
    }

    /// Whether the old secret expires and nothing will have stopped that in time, so that there is no going back to it.
    ///
    /// Where the removal of the new secret puts the fuse out, there must be time left for the drain before it.
    var fuseClosesWayBack: Bool {
        guard let litAt = rotation.fuseLitAt, let span = rotation.fuseSpan else { return false }
        guard context.capabilities.removalCancelsFuse else { return true }
        let left = span - context.now.elapsedAtMost(since: litAt)
        let cache = context.policy.readerCache(of: record.registration)
        let drain = record.active == .primary ? .zero : max(cache, context.policy.minimumOverlap)
        return left <= drain || fuseIsNear && record.active == .secondary
    }

    var hasFailedDeliveries: Bool { rotation.deliveries.contains { $0.failure != nil } }

    /// Adds a line to the client's history; it is stored with the record and then copied to the audit log.
    mutating func note(_ action: String, _ details: [String: String]) {
        record.note(action, details, rotation: rotation, actor: context.actor, at: context.now.wall)
    }

    /// Keeps an observation, dropping the oldest beyond the limit.
    mutating func keep(_ evidence: [Evidence]) {
        rotation.evidence += evidence
        rotation.evidence.removeFirst(max(0, rotation.evidence.count - Rotation.evidenceLimit))
    }

    func unexpected(_ observation: Observation) -> RotationError {
        switch observation {
        case .supplied:
            RotationError(
                .wrongInput, "\(record.name) does not wait for a secret: it is in the stage \(rotation.stage)",
                remedy: "run keyover status \(record.name)")
        case .reportedDeleted:
            RotationError(
                .wrongInput, "\(record.name) does not wait for a deletion: it is in the stage \(rotation.stage)",
                remedy: "run keyover status \(record.name)")
        case .listed, .written, .readBack, .probed, .delivered, .gate, .unavailable:
            RotationError(.superseded, "the rotation of \(record.name) went on elsewhere to \(rotation.stage)")
        }
    }
}

extension ClientRecord {
    /// Keeps the trace of a secret whose value is about to go, dropping the oldest beyond the limit.
    mutating func remember(_ slot: Slot, of rotation: UUIDv7, evidence: [Evidence], at time: Timestamp) {
        retired.append(
            RetiredSecret(
                fingerprint: slot.fingerprint, secretID: slot.secretID, rotation: rotation, retiredAt: time,
                evidence: evidence))
        retired.removeFirst(max(0, retired.count - Self.retiredLimit))
    }

    /// Ends a rotation: its summary stays.
    mutating func archive(_ rotation: Rotation, as outcome: Stage, at time: Timestamp) {
        lastRotation = RotationSummary(
            id: rotation.id, strategy: rotation.strategy, outcome: outcome, startedAt: rotation.startedAt.wall,
            endedAt: time, reason: rotation.reason)
        self.rotation = nil
    }

    /// Adds a line to the client's history, numbered in turn.
    public mutating func note(
        _ action: String, _ details: [String: String], rotation: Rotation? = nil, actor: Actor, reason: String? = nil,
        at time: Timestamp
    ) {
        auditSequence += 1
        outbox.append(
            AuditEntry(
                sequence: auditSequence, time: time, record: id, client: name, rotation: rotation?.id, action: action,
                actor: actor, reason: reason ?? rotation?.reason, details: details))
    }
}

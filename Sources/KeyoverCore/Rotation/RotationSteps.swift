/// What the stages make of single observations, in the order of the stages.
extension RotationMachine {
    /// How old the last accepted exchange of the active secret may be when something is taken away.
    public static let freshness = TimeSpan.seconds(60)
    /// Inconclusive verifications or proofs in a row after which a person is asked.
    static let patience = 10

    // MARK: minting

    /// Slots were counted: declares the mint, or makes room first.
    mutating func mint(beside listed: [ListedSecret]) -> Effect {
        record.adopt(listed, at: context.now, by: context.actor)
        if listed.count >= context.capabilities.maxSecrets { return makeRoom(listed) }
        if let wait = waitToBegin() { return wait }
        rotation.tags.append(context.freshTag)
        rotation.mintDeclaredAt = context.now
        return declare(.add(tag: context.freshTag))
    }

    private mutating func waitToBegin() -> Effect? {
        guard rotation.compromised == nil, rotation.recovery == nil, rotation.tags.isEmpty else { return nil }
        guard let opening = context.calendar.opening(from: context.now.wall), opening > context.now.wall else {
            return nil
        }
        return wait(.window, "the next rotation window", opening - context.now.wall)
    }

    /// A mint's answer was lost: what bears our tag is ours and of no use, since its value is lost with the answer.
    mutating func search(_ listed: [ListedSecret]) -> Effect {
        let ours = listed.filter { secret in secret.tag.map(rotation.tags.contains) ?? false }
        if case .add(let tag) = rotation.intent?.write, ours.contains(where: { $0.tag == tag }) {
            adopt(ours)
            return work()
        }
        // What bears an older tag was adopted before and lags in the list; it says nothing of the newest mint.
        if context.capabilities.mintRepair == .attention, hasUnknown(listed) {
            return attention(.ambiguousOrphan, "a secret at the provider may be the one whose answer was lost")
        }
        // An empty list proves nothing before the longest time in which the write may have been sent, taken effect and
        // become visible has passed.
        let missing = timeToSettle
        guard missing == .zero else {
            return wait(.provider, "time to see whether the lost mint took place", min(missing, .seconds(10)))
        }
        rotation.intent = nil
        note("mint.absent", [:])
        return work()
    }

    /// How long the newest mint may still turn up at the provider.
    var timeToSettle: TimeSpan {
        guard let declared = rotation.mintDeclaredAt else { return .zero }
        let capabilities = context.capabilities
        // Whoever declared it may have been given a longer term than this runner.
        let term = max(context.claimTerm, rotation.intent?.term ?? .zero)
        let longest = term + capabilities.commitDelay + capabilities.propagationBound
        return declared.remaining(of: longest, at: context.now)
    }

    mutating func adopt(_ ours: [ListedSecret]) {
        rotation.intent = nil
        for secret in ours where !rotation.orphans.contains(secret.id) {
            rotation.orphans.append(secret.id)
            if !record.owned.contains(where: { $0.secretID == secret.id }) {
                record.owned.append(OwnedSecret(secretID: secret.id, tag: secret.tag, since: context.now.wall))
            }
            note("orphan.found", ["secretID": secret.id.description])
        }
        // The lost mint lit the fuse, whether or not what it made is removed.
        guard let span = context.capabilities.addStartsFuse, !context.capabilities.removalCancelsFuse,
            rotation.fuseLitAt == nil, let declared = rotation.mintDeclaredAt, rotation.mintedAt == nil
        else { return }
        rotation.fuse = declared.wall + span
        rotation.fuseLitAt = declared
        rotation.fuseSpan = span
    }

    /// The provider confirmed a write that concerns an orphan.
    mutating func orphanWritten() -> Effect {
        if case .deactivate = rotation.intent?.write { return turnedOff() }
        return orphanGone()
    }

    /// An orphan is gone.
    mutating func orphanGone() -> Effect {
        if let id = rotation.intent?.write.secretID {
            rotation.orphans.removeAll { $0 == id }
            disown(id)
            note("orphan.removed", ["secretID": id.description])
        }
        rotation.intent = nil
        rotation.failures = 0
        return work()
    }

    /// The answer to a write was lost: a mint is searched for, what is safe to repeat is repeated after a pause.
    mutating func lost(_ message: String) -> Effect {
        if case .add = rotation.intent?.write { return work() }
        return retry(Trouble(message))
    }

    /// A person handed over a secret; the one in force would pass every check, and its deletion would be an outage.
    mutating func supplied(_ secret: MintedSecret, _ fingerprint: Fingerprint) throws(RotationError) -> Effect {
        guard fingerprint != record.primary.fingerprint else {
            throw RotationError(
                .wrongInput, "the secret handed over for \(record.name) is the one in force, not a second one",
                remedy: "add a second secret at the provider, then run keyover resume \(record.name) --secret-stdin")
        }
        return stage(secret, fingerprint)
    }

    /// A second secret is there: it goes into the secondary slot and into `owned` in one write.
    mutating func stage(_ secret: MintedSecret, _ fingerprint: Fingerprint) -> Effect {
        record.secondary = Slot(
            clientID: secret.clientID ?? record.primary.clientID, value: secret.value, secretID: secret.id,
            fingerprint: fingerprint, issuedAt: secret.createdAt ?? context.now.wall, expiresAt: secret.expiresAt,
            storedAt: context.now.wall)
        if let id = secret.id {
            record.owned.append(OwnedSecret(secretID: id, tag: rotation.tags.last, since: context.now.wall))
        }
        rotation.mintedAt = context.now
        if let fuse = secret.fuse, rotation.fuseLitAt == nil {
            // How long it burns is the provider's word; its clock and the one here may differ by hours.
            rotation.fuse = fuse
            rotation.fuseLitAt = rotation.mintDeclaredAt ?? context.now
            rotation.fuseSpan = context.capabilities.addStartsFuse ?? fuse - (secret.createdAt ?? context.now.wall)
        }
        let next = context.strategy.stage(after: .minting, context.capabilities)
        return rotation.isAborting ? goBack() : enter(next)
    }

    // MARK: verifying

    /// A slot was proven to work: traffic may move to it.
    mutating func verified(_ slot: SlotName, _ evidence: [Evidence]) -> Effect {
        keep(evidence)
        rotation.failures = 0
        let now = context.now
        record[slot]?.verifiedAt = now
        if record.active == slot { activeAccepted(evidence) }
        guard rotation.stage == .precheck else { return advance() }
        // Traffic may be on the secondary though the record is not, from a time that a restore has made undone.
        let wasMoved = record.active == .secondary || rotation.switchedAt != nil
        return enter(wasMoved ? .switchBack : .removing)
    }

    /// The primary does not work, so there is no going back to it.
    ///
    /// Where traffic is still on it, only the secondary can end the outage: the rotation goes forward again.
    mutating func wayBackClosed(_ why: String) -> Effect {
        rotation.intent = nil
        guard record.active == .primary, rotation.compromised == nil, record.secondary != nil else {
            return attention(.primaryRejected, why)
        }
        rotation.primaryIsDead = true
        note("rotation.turnedForward", ["why": why])
        return enter(.verifying)
    }

    mutating func retryVerification(_ trouble: Trouble) -> Effect {
        if fuseIsNear, rotation.stage == .verifying, rotation.recovery == nil {
            return turnBack(.deadlineNear, trouble.message)
        }
        if trouble.needsPerson || rotation.failures >= Self.patience {
            return attention(.verificationFailed, trouble.message)
        }
        return retry(trouble)
    }

    // MARK: cutOver, draining and their way back

    mutating func delivered(_ results: [DeliveryResult]) -> Effect {
        keepResults(results)
        if rotation.stage == .cutOver, isAtGoal { return .finish(.reachedStage) }
        return enter(rotation.stage == .switchBack ? .drainBack : .draining)
    }

    /// Failed announcements were tried again.
    mutating func redelivered(_ results: [DeliveryResult]) -> Effect {
        keepResults(results)
        return .observeGate
    }

    private mutating func keepResults(_ results: [DeliveryResult]) {
        for result in results {
            rotation.deliveries.removeAll { $0.target == result.target }
            rotation.deliveries.append(result)
            note("delivery", ["kind": result.target.kind, "failure": result.failure ?? "none"])
        }
    }

    mutating func passGate(_ observation: GateObservation) -> Effect {
        switch observation.active {
        case .accepted(let evidence):
            keep(evidence)
            activeAccepted(evidence)
        case .refused(let why, _):
            return rotation.stage == .drainBack ? wayBackClosed(why) : turnBack(.activeRejected, why)
        case .unacceptable(let why):
            return rotation.stage == .drainBack ? attention(.activeRejected, why) : turnBack(.activeRejected, why)
        case .inconclusive(let trouble):
            return retryActive(trouble)
        }
        let gate = Gate(
            rotation: rotation, generation: record.generation, policy: context.policy,
            consumerCache: context.policy.readerCache(of: record.registration), now: context.now)
        switch gate.verdict(observation) {
        case .open:
            keep([Evidence(.consumersMoved, slot: record.active, at: context.now)])
            return rotation.stage == .drainBack ? enter(.removing) : advance()
        case .closed(let why, let span):
            rotation.failures = 0
            return wait(.drain, why, span)
        case .undrained(let who):
            return attention(.undrained, who)
        }
    }

    // MARK: deactivating, soaking

    mutating func deactivated() -> Effect {
        rotation.intent = nil
        rotation.deactivatedAt = context.now
        return advance()
    }

    mutating func soaked(_ observation: GateObservation) -> Effect {
        if let entry = observation.ledger.first(where: { $0.rejected == record.generation }) {
            return turnBack(.activeRejected, "\(entry.consumer) reports that the new secret is rejected")
        }
        switch observation.active {
        case .accepted(let evidence): activeAccepted(evidence)
        case .refused(let why, _), .unacceptable(let why): return turnBack(.activeRejected, why)
        case .inconclusive(let trouble): return retryActive(trouble)
        }
        // Nothing is off where the old secret has no id to turn it off by; then there is nothing to wait for.
        guard let since = rotation.deactivatedAt else { return advance() }
        let missing = since.remaining(of: context.policy.soak, at: context.now)
        guard missing > .zero, rotation.compromised == nil else { return advance() }
        return wait(.soak, "complaints about the old secret being off", min(missing, .minutes(1)))
    }

    // MARK: retiring, removing

    /// Takes the secret of a slot away: by its id, or by asking a person where there is none.
    mutating func remove(_ slot: SlotName) -> Effect {
        if slot == .secondary, rotation.intent == nil, rotation.turnedOff == nil, fuseHasEnded, !record.isUnderRecovery
        {
            return wayBackClosed("the provider's fuse has ended the old secret")
        }
        // What a recovery replaces was refused before it began; the proof shows whether it is gone.
        guard let secret = record[slot] else { return enter(rotation.stage == .removing ? .rolledBack : .completed) }
        guard context.strategy.provision == .calls, let id = secret.secretID else {
            // What a recovery replaces was refused before it began; the proof shows whether that still holds.
            guard slot == .primary, rotation.recovery != nil else { return ask(.deleteSecret(slot, secret.secretID)) }
            rotation.removedAt = context.now
            return enter(.proving)
        }
        return takeAway(id)
    }

    /// Removes a secret, or first turns it off where the provider removes only what is off.
    mutating func takeAway(_ id: SecretID) -> Effect {
        let isOff = rotation.turnedOff == id || rotation.stage == .retiring && rotation.deactivatedAt != nil
        return write(context.capabilities.deactivateBeforeDelete && !isOff ? .deactivate(id) : .remove(id))
    }

    /// The provider confirmed a write that concerns the secret on its way out.
    mutating func leavingWritten() -> Effect {
        if case .deactivate = rotation.intent?.write { return turnedOff() }
        return removed(nil)
    }

    /// What is to be removed is off, as the provider wants it.
    private mutating func turnedOff() -> Effect {
        rotation.turnedOff = rotation.intent?.write.secretID
        rotation.intent = nil
        rotation.failures = 0
        return work()
    }

    /// Stores the intent of a write; one that takes something away needs a fresh exchange of the active secret first.
    mutating func write(_ write: Intent.Write) -> Effect {
        if case .reactivate = write { return declare(write) }
        guard record.mustProveActive(before: write) else { return declare(write) }
        guard let accepted = rotation.activeAcceptedAt, context.now.elapsedAtMost(since: accepted) < Self.freshness
        else {
            return .checkActive
        }
        return declare(write)
    }

    private mutating func declare(_ write: Intent.Write) -> Effect {
        rememberLostDeactivation()
        let intent = Intent(write, declaredAt: context.now, term: context.claimTerm)
        rotation.intent = intent
        switch write {
        case .add(let tag): note("intent.add", ["tag": tag])
        case .remove(let id): note("intent.remove", ["secretID": id.description])
        case .deactivate(let id):
            // From here on the old secret may be off, so the way back turns it on again whatever the answer is.
            if rotation.stage == .deactivating { rotation.deactivatedAt = context.now }
            note("intent.deactivate", ["secretID": id.description])
        case .reactivate(let id): note("intent.reactivate", ["secretID": id.description])
        }
        return .send(intent)
    }

    /// Dates the newest accepted exchange with the active secret by the exchange, not by when it was stored.
    mutating func activeAccepted(_ evidence: [Evidence]) {
        rotation.activeAcceptedAt = evidence.last?.at ?? rotation.activeAcceptedAt
    }

    mutating func activeProbed(_ probe: Probe, orElse cause: Attention.Cause) -> Effect {
        switch probe {
        case .accepted(let evidence):
            keep(evidence)
            activeAccepted(evidence)
            return work()
        case .refused(let why, _), .unacceptable(let why):
            let mayTurnBack = rotation.stage == .deactivating || rotation.stage == .retiring
            return mayTurnBack ? turnBack(cause, why) : attention(cause, why)
        case .inconclusive(let trouble):
            return retryActive(trouble)
        }
    }

    /// Nothing can be said of the active secret: an outage passes, but where neither secret works none comes to help.
    private mutating func retryActive(_ trouble: Trouble) -> Effect {
        guard rotation.failures < 3 * Self.patience else { return attention(.activeRejected, trouble.message) }
        return retry(trouble)
    }

    /// The provider refused a write and changed nothing.
    mutating func refused(_ failure: FailureClass, _ message: String) -> Effect {
        if failure == .notFound, let id = rotation.intent?.write.secretID, rotation.orphans.contains(id) {
            return orphanGone()
        }
        note("write.refused", ["failure": failure.word, "message": message])
        // From its intent on, retiring only goes forward, so there the intent stays.
        if rotation.stage != .retiring { rotation.intent = nil }
        switch failure {
        case .rateLimited(let retryAfter): return retry(Trouble(message, retryAfter: retryAfter))
        case .transient: return retry(Trouble(message))
        case .quotaFull: return attention(.quotaFull, message)
        case .credentialRejected, .clientDisabled, .scopeInsufficient, .clockSkew, .notFound, .lastSecret, .unknown:
            return attention(.providerRefused, message)
        }
    }

    mutating func removed(_ report: Evidence.Kind?) -> Effect {
        let slot: SlotName = rotation.stage == .removing ? .secondary : .primary
        rotation.removedAt = context.now
        note("secret.removed", ["slot": slot.rawValue, "secretID": record[slot]?.secretID?.description ?? "unknown"])
        if let report { keep([Evidence(report, slot: slot, secretID: record[slot]?.secretID, at: context.now)]) }
        if slot == .primary { return enter(.proving) }
        // Under recovery no secret is known to be good, beside which a refusal would prove anything.
        return enter(record.isUnderRecovery ? .rolledBack : .provingRemoved)
    }
}

/// The rotation machine: a pure function from a record and an event to the next record and the next effect.
///
///     minting -> staged -> verifying -> cutOver -> draining -> [deactivating -> soaking] -> retiring -> proving -> completed
///        |          |          |           |           |             |            |
///        +----------+----------+-----------+-----------+-------------+------------+--> rolling back:
///           precheck -> switchBack -> drainBack -> removing -> provingRemoved -> rolledBack
///        any stage --> needsAttention(cause, from)      (left only by resume, abort or settle)
///        any stage --> waiting                          (the stage stays; the process may end)
///
/// The engine stores the record of a ``Step`` with one compare-and-swap, then carries out the effect, and feeds what it
/// observed back as the next event. A process that dies anywhere loses nothing: ``Order/resumed`` asks the stored record
/// again what it calls for (`work`). A provider write is first an ``Intent`` in the record, and only then an effect.
///
/// Time arrives in the context; nothing here reads a clock, draws a random number or knows a provider.
public struct RotationMachine: Sendable {
    var record: ClientRecord
    var rotation: Rotation
    let context: Context

    /// The record and the effect that follow from an event.
    ///
    /// Throws when the event makes no sense in the record's stage; the record then stays as it is.
    public static func transition(
        _ record: ClientRecord, on event: Event, in context: Context
    ) throws(RotationError) -> Step {
        guard let rotation = record.rotation else {
            throw RotationError(
                .nothingInProgress, "\(record.name) has no rotation in progress",
                remedy: "run keyover rotate \(record.name)")
        }
        if !record.isUnderRecovery { try record.requireVerified() }
        var machine = Self(record: record, rotation: rotation, context: context)
        machine.rotation.waiting = nil
        let effect =
            switch event {
            case .order(let order): try machine.obey(order)
            case .observation(let observation): try machine.observe(observation)
            }
        return Step(record: machine.closed(), effect: effect)
    }

    /// What each stage makes of what was observed.
    private mutating func observe(_ observation: Observation) throws(RotationError) -> Effect {
        switch rotation.stage {
        case .minting:
            switch observation {
            case .listed(let secrets): rotation.intent == nil ? mint(beside: secrets) : search(secrets)
            case .written(.minted(let secret, let fingerprint)): stage(secret, fingerprint)
            case .supplied(let secret, let fingerprint): try supplied(secret, fingerprint)
            case .written(.done): orphanWritten()
            case .written(.refused(let failure, let message)): refused(failure, message)
            case .written(.lost(let message)): lost(message)
            case .probed(let probe): activeProbed(probe, orElse: .activeRejected)
            case .unavailable(let trouble): retry(trouble)
            case .readBack, .delivered, .gate, .reportedDeleted: throw unexpected(observation)
            }
        case .staged:
            switch observation {
            case .readBack(true): advance()
            case .readBack(false): attention(.readBackMismatch, "the vault gave back another value than was minted")
            case .unavailable(let trouble): retry(trouble)
            case .listed, .written, .supplied, .probed, .delivered, .gate, .reportedDeleted:
                throw unexpected(observation)
            }
        case .verifying:
            switch observation {
            case .probed(.accepted(let evidence)): verified(.secondary, evidence)
            case .probed(.refused(let why, _)): turnBack(.verificationFailed, why)
            case .probed(.unacceptable(let why)): attention(.verificationFailed, why)
            case .probed(.inconclusive(let trouble)): retryVerification(trouble)
            case .unavailable(let trouble): retry(trouble)
            case .listed, .written, .supplied, .readBack, .delivered, .gate, .reportedDeleted:
                throw unexpected(observation)
            }
        case .cutOver, .switchBack:
            switch observation {
            case .delivered(let results): delivered(results)
            case .unavailable(let trouble): retry(trouble)
            case .listed, .written, .supplied, .probed, .readBack, .gate, .reportedDeleted:
                throw unexpected(observation)
            }
        case .draining, .drainBack:
            switch observation {
            case .gate(let gate): passGate(gate)
            case .delivered(let results): redelivered(results)
            case .unavailable(let trouble): retry(trouble)
            case .listed, .written, .supplied, .probed, .readBack, .reportedDeleted: throw unexpected(observation)
            }
        case .deactivating:
            switch observation {
            case .written(.done): deactivated()
            // What is gone is off.
            case .written(.refused(.notFound, _)): deactivated()
            case .written(.refused(let failure, let message)): refused(failure, message)
            case .written(.lost(let message)): retry(Trouble(message))
            case .probed(let probe): activeProbed(probe, orElse: .activeRejected)
            case .unavailable(let trouble): retry(trouble)
            case .listed, .written, .supplied, .readBack, .delivered, .gate, .reportedDeleted:
                throw unexpected(observation)
            }
        case .soaking:
            switch observation {
            case .gate(let gate): soaked(gate)
            case .unavailable(let trouble): retry(trouble)
            case .listed, .written, .supplied, .probed, .readBack, .delivered, .reportedDeleted:
                throw unexpected(observation)
            }
        case .retiring, .removing:
            switch observation {
            case .written(.done): leavingWritten()
            case .written(.refused(.notFound, _)): removed(nil)
            case .written(.refused(let failure, let message)): refused(failure, message)
            case .written(.lost(let message)): retry(Trouble(message))
            case .reportedDeleted: removed(.reportedDeleted)
            case .probed(let probe): activeProbed(probe, orElse: .activeRejected)
            case .unavailable(let trouble): retry(trouble)
            case .listed, .written, .supplied, .readBack, .delivered, .gate: throw unexpected(observation)
            }
        case .proving, .provingRemoved:
            switch observation {
            case .probed(.refused(_, let evidence)): proven(evidence)
            case .probed(.accepted): attention(.oldStillWorks, "the removed secret still yields tokens")
            case .probed(.unacceptable(let why)): attention(.unproven, why)
            case .probed(.inconclusive(let trouble)): retryProof(trouble)
            case .unavailable(let trouble): retry(trouble)
            case .listed, .written, .supplied, .readBack, .delivered, .gate, .reportedDeleted:
                throw unexpected(observation)
            }
        case .precheck:
            switch observation {
            case .written(.done): reactivated()
            case .written(.refused(.notFound, let why)): wayBackClosed(why)
            case .written(.refused(let failure, let message)): refused(failure, message)
            case .written(.lost(let message)): retry(Trouble(message))
            case .probed(.accepted(let evidence)): verified(.primary, evidence)
            case .probed(.refused(let why, _)): wayBackClosed(why)
            case .probed(.unacceptable(let why)): attention(.primaryRejected, why)
            case .probed(.inconclusive(let trouble)): retryVerification(trouble)
            case .unavailable(let trouble): retry(trouble)
            case .listed, .written, .supplied, .readBack, .delivered, .gate, .reportedDeleted:
                throw unexpected(observation)
            }
        case .completed, .rolledBack:
            switch observation {
            case .listed(let secrets): swept(secrets)
            case .written(.done): orphanWritten()
            case .written(.refused(.notFound, _)): orphanGone()
            case .written(.refused(let failure, let message)): refused(failure, message)
            case .written(.lost(let message)): retry(Trouble(message))
            case .probed(let probe): activeProbed(probe, orElse: .activeRejected)
            case .unavailable(let trouble): retry(trouble)
            case .written, .supplied, .readBack, .delivered, .gate, .reportedDeleted: throw unexpected(observation)
            }
        case .needsAttention:
            throw unexpected(observation)
        }
    }

    /// What the stored state calls for next; the one answer to a crash, a wait that is over, and a resume.
    mutating func work() -> Effect {
        switch rotation.stage {
        case .minting:
            if let orphan = rotation.orphans.first { return takeAway(orphan) }
            if rotation.intent != nil { return .search }
            if rotation.isAborting { return enter(.rolledBack) }
            return context.strategy.provision == .person ? ask(.addSecret) : .countSlots
        case .staged: return .readBack
        case .verifying: return .verify(.secondary)
        case .cutOver, .switchBack: return .deliver
        case .draining, .drainBack: return hasFailedDeliveries ? .deliver : .observeGate
        case .deactivating: return record.primary.secretID.map { write(.deactivate($0)) } ?? advance()
        case .soaking: return .observeGate
        case .retiring: return remove(.primary)
        case .proving: return .prove(.primary)
        case .precheck: return turnOn() ?? .verify(.primary)
        case .removing: return remove(.secondary)
        case .provingRemoved: return .prove(.secondary)
        case .completed, .rolledBack:
            if let orphan = rotation.orphans.first { return takeAway(orphan) }
            return sweep()
        case .needsAttention: return .finish(.needsAttention)
        }
    }
}

internal import KeyoverCore

/// What people do at the provider's console.
extension Simulation {
    /// Does the step that a rotation waits for, and reports it.
    func lendAHand(_ stage: Stage) -> OperatorOrder {
        guard stage == .minting else {
            if !strikes(.personErrs) { deleteAtConsole(stage) }
            // She may forget to report it, or somebody else may have changed his mind meanwhile.
            return generator.pick(
                faultsHaveCeased ? [.reportDeleted] : [.reportDeleted, .reportDeleted, .resume, .abort])
        }
        if server.existing(at: now).count >= scenario.capabilities.maxSecrets { clearUnknownSecrets() }
        guard server.existing(at: now).count < scenario.capabilities.maxSecrets else { return .resume }
        let made = makeSecret(.person)
        let id = generator.chance(500) ? made.id : nil
        guard strikes(.personErrs) else { return .supply(MintedSecret(id: id, value: made.value)) }
        // A slip: the old value is handed over, or something that never was a secret.
        let slip = generator.chance(500) ? store.record.primary.value : nil
        return .supply(MintedSecret(id: nil, value: slip ?? SecretValue(copying: Array("slip-of-hand".utf8))))
    }

    /// Deletes what the stage says is to go; nothing when it is gone already.
    func deleteAtConsole(_ stage: Stage) {
        let slot: SlotName = stage.isRollingBack ? .secondary : .primary
        guard let value = store.record[slot]?.value, let secret = server.secret(withValue: value),
            secret.truth(at: now) != .absent
        else { return }
        for checker in checkers { checker.removedByHand(secret, slot, in: self) }
        changeSecret(secret, to: .absent)
    }

    /// Removes what the vault does not know.
    func clearUnknownSecrets(evenOwned: Bool = false) {
        let record = store.record
        let known = [record.primary.value, record.secondary?.value]
        for secret in server.existing(at: now) where !known.contains(secret.value) {
            // What Keyover owns it removes by itself, where it can.
            let isOwned = record.owned.contains { $0.secretID == secret.id }
            if isOwned, !evenOwned, scenario.strategy.description != "manual" { continue }
            changeSecret(secret, to: .absent)
        }
    }

    /// Removes what no reader may be using, one of it, to make room after a restore.
    func clearUnusedSecrets() {
        let used = readers.compactMap(\.held).filter { now <= $0.since + declaredCache }.map(\.value)
        let unused = server.existing(at: now).first { !used.contains($0.value) }
        if let unused { changeSecret(unused, to: .absent) }
    }

    /// Somebody changes secrets out of band; from now on some invariants promise nothing.
    func meddle() {
        people.hasMeddled = true
        let existing = server.existing(at: now)
        switch generator.below(3) {
        case 0 where existing.count < scenario.capabilities.maxSecrets: makeSecret(.stranger)
        case 1 where !existing.isEmpty: changeSecret(generator.pick(existing), to: .inactive)
        default:
            if !existing.isEmpty { changeSecret(generator.pick(existing), to: .absent) }
        }
    }
}

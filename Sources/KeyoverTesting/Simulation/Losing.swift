internal import KeyoverCore
internal import KeyoverEngine

/// What a backup holds: all that Keyover knew at one moment.
struct SimulatedBackup {
    let record: ClientRecord
    let ledger: [LedgerEntry]
    let log: [AuditEntry]
    let edits: Int
    let at: Int64
}

/// The loss of the machine: what is left is a backup, the provider as it has become, and readers that hold what they
/// were given.
extension Simulation {
    /// From time to time a backup is made; from time to time one is needed.
    ///
    /// Not where nobody could tell what is dead: where wrong secrets lock out, or a fuse burns that no backup knows of;
    /// nor where clocks jump, since only the wall clock spans a loss.
    func scheduleLosses() {
        guard scenario.rate(.machineLost) > 0, !scenario.capabilities.locksOut,
            scenario.capabilities.addStartsFuse == nil, !scenario.clocksJump, scenario.strategy.description != "manual"
        else { return }
        after(generator.within(2000...60_000)) {
            guard !self.faultsHaveCeased else { return }
            if let backup = self.backup, self.strikes(.machineLost) {
                self.lose(andRestore: backup)
            } else if self.backup == nil || self.generator.chance(300), self.store.record.restored == nil {
                self.backup = SimulatedBackup(
                    record: self.store.record, ledger: self.store.ledger, log: self.log.entries,
                    edits: self.people.edits, at: self.now)
                self.happened("a backup is made")
            }
            self.scheduleLosses()
        }
    }

    private func lose(andRestore backup: SimulatedBackup) {
        for process in processes { crash(process) }
        var record = backup.record
        let now = Timestamp(millisecondsSinceEpoch: SimulatedHost.epoch + now)
        record.restored = Restoration(
            at: now, backedUpAt: Timestamp(millisecondsSinceEpoch: SimulatedHost.epoch + backup.at))
        store.restore(record, backup.ledger, at: self.now)
        log = LogStore(entries: backup.log)
        people.edits = backup.edits
        happened("the machine is lost, and the backup of \(backup.at) restored")
        for checker in checkers { checker.restored(backup, in: self) }
    }
}

internal import KeyoverCore

/// The audit log of a client is a prefix of its history that lacks at most the record's outbox, and equal once quiet.
///
/// The history is every entry that was ever stored in the record, in the order of its number.
final class Invariant6: InvariantChecker {
    private var history: [AuditEntry] = []
    private var compared = 0

    func stored(_ old: ClientRecord, _ new: ClientRecord, by process: SimulatedProcess?, in simulation: Simulation) {
        guard new.auditSequence >= old.auditSequence else {
            return simulation.violate(6, "entries were lost: \(old.auditSequence) became \(new.auditSequence)")
        }
        let added = new.outbox.filter { $0.sequence > old.auditSequence }
        history += added
        let numbers = history.suffix(added.count).map(\.sequence)
        guard numbers == Array((old.auditSequence + 1)..<(new.auditSequence + 1)) else {
            return simulation.violate(6, "after entry \(old.auditSequence) came \(numbers) up to \(new.auditSequence)")
        }
    }

    /// What came after the backup is lost with the log that held it.
    func restored(_ backup: SimulatedBackup, in simulation: Simulation) {
        history = Array(history.prefix(Int(backup.record.auditSequence)))
        compared = min(compared, backup.log.count)
    }

    func check(_ simulation: Simulation) {
        let log = simulation.log.entries
        guard log.count <= history.count else {
            return simulation.violate(6, "the log holds \(log.count) entries of a history of \(history.count)")
        }
        while compared < log.count {
            guard log[compared] == history[compared] else {
                return simulation.violate(6, "entry \(compared + 1) of the log is not that of the history")
            }
            compared += 1
        }
        let pending = simulation.store.record.outbox.filter { $0.sequence > UInt64(log.count) }
        if pending.count != history.count - log.count {
            simulation.violate(
                6, "the log has \(log.count) of \(history.count) entries, the outbox \(pending.count) of the rest")
        }
    }

    func checkQuiet(_ simulation: Simulation) {
        let missing = history.count - simulation.log.entries.count
        if missing != 0 { simulation.violate(6, "quiet, and the log lacks \(missing) entries") }
    }
}

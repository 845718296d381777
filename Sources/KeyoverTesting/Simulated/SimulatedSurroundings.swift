internal import KeyoverCore
internal import KeyoverEngine

/// What the audit log durably holds.
struct LogStore {
    var entries: [AuditEntry] = []

    /// Appends what is not there yet, as a sink does.
    mutating func append(_ new: [AuditEntry]) {
        for entry in new where !entries.contains(where: { $0.sequence == entry.sequence }) { entries.append(entry) }
    }
}

/// The audit log as one process sees it.
struct SimulatedAudit: AuditSink {
    let simulation: Simulation
    let process: SimulatedProcess

    func append(_ entries: [AuditEntry]) async throws(AuditError) {
        await simulation.pass(simulation.generator.within(0...5), process)
        if simulation.isOver { throw AuditError(.unwritable, "the simulation is over") }
        if simulation.strikes(.auditFailed) { throw AuditError(.unwritable, "the disk is full") }
        simulation.log.append(entries)
        simulation.hasChanged = true
        if simulation.strikes(.auditSilent) {
            await simulation.pass(10_000, process)
            throw AuditError(.timedOut, "the log does not answer")
        }
    }
}

/// Announcements, which arrive or don't; who needs to know polls anyway.
struct SimulatedDelivery: Delivery {
    static let kind = "simulated"
    let simulation: Simulation
    let process: SimulatedProcess

    func deliver(_ announcement: Announcement, to target: DeliveryTarget) async throws(DeliveryError) {
        await simulation.pass(simulation.generator.within(1...300), process)
        if simulation.isOver || simulation.strikes(.deliveryFailed) {
            throw DeliveryError("nobody listens")
        }
    }
}

import KeyoverCore
import KeyoverEngine

/// Runs one call of the engine for one client, with progress on the terminal, and reports how it ended.
struct Driving {
    let session: Session
    let workspace: Workspace

    /// Carries a recovery out, likewise.
    func recover(
        _ client: ClientName, _ call: (RotationEngine) async throws -> RotationEngine.Recovery
    ) async -> RotationReport {
        await attempt(client) { engine in
            let recovery = try await call(engine)
            guard case .replacing(let result) = recovery else {
                return RotationReport(recovery, at: workspace.now, instructions: [])
            }
            return RotationReport(recovery, at: workspace.now, instructions: await instructions(result))
        }
    }

    /// Carries the call out; an error becomes a report too, so that the next client gets its turn.
    func drive(
        _ client: ClientName, succeedsBy isWanted: (RotationMachine.Outcome) -> Bool = { $0 != .rolledBack },
        _ call: (RotationEngine) async throws -> RotationEngine.Result
    ) async -> RotationReport {
        await attempt(client) { engine in
            let result = try await call(engine)
            return RotationReport(
                result, at: workspace.now, instructions: await instructions(result), succeedsBy: isWanted)
        }
    }

    private func attempt(
        _ client: ClientName, _ call: (RotationEngine) async throws -> RotationReport
    ) async -> RotationReport {
        let display = ProgressDisplay(session.terminal)
        defer { display.end() }
        do {
            let record = try await workspace.client(client).record
            if let rotation = record.rotation { display.begin(client, in: rotation.stage) }
            let engine = RotationEngine(try await workspace.parts(for: record) { display.hear($0) })
            let report = try await call(engine)
            display.end()
            return report
        } catch {
            display.end()
            ErrorReport(error).show(on: session.terminal)
            return RotationReport(error, client: client)
        }
    }

    /// Shows one report in the wanted form, notes the audit log's end, and answers the exit code.
    func finish(_ report: RotationReport, _ form: FormatOption) async throws -> ExitStatus {
        if form.format == .json {
            try session.terminal.show(json: report)
        } else {
            report.show(on: session.terminal)
        }
        try await workspace.noteAuditHead()
        return report.status
    }

    /// What a person has to do at the provider, when the rotation waits for one.
    private func instructions(_ result: RotationEngine.Result) async -> [String] {
        let record = result.record
        guard let step = NextStep.manualStep(of: record),
            let tenant = try? await workspace.tenant(record.registration.tenant).record,
            let provider = try? workspace.provider(of: tenant)
        else { return [] }
        return provider.instructions(
            for: step, client: ClientReference(name: record.name, clientID: record.primary.clientID))
    }
}

import ArgumentParser
import KeyoverCore
import KeyoverEngine

/// `keyover recover`.
struct RecoverCommand: KeyoverSubcommand {
    static let isCancelledBySignals = false

    static let configuration = CommandConfiguration(
        commandName: "recover", abstract: "Verify what a backup brought back, or mint anew where it is dead.",
        discussion: """
            A client that came out of a backup is not given out before one of its secrets is proven to work. Where none \
            does, a new one is minted, verified, and given out; what the provider holds besides goes only after \
            applications had the time to move. While nothing can be said, nothing is changed.
            """)

    @OptionGroup var globals: GlobalOptions

    @Argument(help: ArgumentHelp("The clients.", valueName: "name"))
    var names: [ClientName] = []

    @Flag(help: "Recover every client that came out of a backup.")
    var all = false

    @OptionGroup var drive: DriveOptions
    @OptionGroup var why: ReasonOption
    @OptionGroup var confirmation: YesOption
    @OptionGroup var form: FormatOption

    func validate() throws {
        guard names.isEmpty == all else { throw ValidationError("name the clients, or say --all") }
    }

    func run(in session: Session) async throws -> ExitStatus {
        let workspace = try await session.openWorkspace()
        let clients = all ? try await unfinished(workspace) : names
        if clients.isEmpty { session.terminal.note("nothing is to be recovered") }
        if !clients.isEmpty, Confirmation.isPossible {
            let what = clients.count == 1 ? clients[0].description : "\(clients.count) clients"
            try confirmation.demand("Recover \(what)? Where no secret works any more, a new one is made.", in: session)
        }
        let driving = Driving(session: session, workspace: workspace)
        var reports: [RotationReport] = []
        for name in clients where !Signals.wasAsked {
            let report = await driving.recover(name) { engine in
                try await engine.recover(
                    name, reason: why.reason, options: RotationEngine.Options(wait: drive.wait))
            }
            if form.format == .table { report.show(on: session.terminal) }
            reports.append(report)
        }
        if form.format == .json { try session.terminal.show(json: reports) }
        try await workspace.noteAuditHead()
        return reports.map(\.status).max() ?? .done
    }

    /// Clients with the mark, and those whose recovery has still to end.
    private func unfinished(_ workspace: Workspace) async throws -> [ClientName] {
        try await workspace.vault.summaries(ClientRecord.self).map(\.record)
            .filter { $0.restored != nil || $0.rotation?.recovery != nil }.map(\.name)
    }
}

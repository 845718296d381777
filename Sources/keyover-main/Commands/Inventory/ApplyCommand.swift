import ArgumentParser
import KeyoverCore

/// `keyover apply`: brings tenants and clients to what an inventory says.
struct ApplyCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Bring tenants and clients to what an inventory file says.",
        discussion: """
            Shows the differences and asks before it does away with them. The file holds no secrets: a client that is \
            new is adopted with the secret in its secret_file, or left to keyover client add. What the file says \
            nothing about keeps its place, unless --prune removes it. See docs/inventory.md.
            """)

    @OptionGroup var globals: GlobalOptions

    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp("The inventory, in YAML; - for standard input.", valueName: "file"), completion: .file())
    var file: String

    @Flag(help: "Show the differences and change nothing.")
    var dryRun = false

    @Flag(help: "Remove clients that the file does not list, and tenants that then have none; providers keep theirs.")
    var prune = false

    @OptionGroup var why: ReasonOption
    @OptionGroup var confirmation: YesOption
    @OptionGroup var form: FormatOption

    // Between two changes, not within one: what was stored is noted, too.
    static var isCancelledBySignals: Bool { false }

    func run(in session: Session) async throws -> ExitStatus {
        let reader = InventoryReader(parsing: try InventoryFile.read(file))
        let terminal = session.terminal
        try reader.mistakes.demandNone(in: file, "nothing was changed", on: terminal)
        let workspace = try await session.openWorkspace()
        let plan = try await InventoryPlanner.plan(
            reader.inventory, isPruning: prune, workspace, SecretInput(terminal: terminal))
        let preview = InventoryReport(plan, isDry: dryRun)
        show(preview, terminal)
        if dryRun {
            if form.format == .json { try terminal.show(json: preview) }
            terminal.note(preview.changes.isEmpty ? "nothing to do" : "nothing was changed: this was a dry run")
            return .done
        }
        let report = try await apply(plan, preview, workspace, session)
        if form.format == .json { try terminal.show(json: report) }
        conclude(report, terminal)
        if report.count("done") > 0 { try await workspace.noteAuditHead() }
        return report.isGood ? .done : .failed
    }

    /// Shows the differences; what programs read comes later and in one piece.
    private func show(_ preview: InventoryReport, _ terminal: Terminal) {
        if form.format == .table {
            for line in preview.lines(on: terminal.output) { terminal.print(line) }
            terminal.note(preview.summary)
        } else if !confirmation.yes, !dryRun {
            for line in preview.lines(on: terminal.errors) { terminal.insist(line) }
        }
    }

    private func apply(
        _ plan: InventoryPlan, _ preview: InventoryReport, _ workspace: Workspace, _ session: Session
    ) async throws -> InventoryReport {
        let count = plan.pending.count
        guard count > 0 else { return preview }
        try confirmation.demand(question(plan.pending), in: session)
        let terminal = session.terminal
        var applier = InventoryApplier(workspace: workspace.forOneOfMany(), plan: plan, reason: why.reason)
        await applier.apply { done in
            if terminal.errors.isTerminal, !terminal.isQuiet { terminal.showLive("\(done) of \(count)") }
        }
        terminal.clearLive()
        return InventoryReport(plan, applier.outcomes, isDry: false)
    }

    private func question(_ pending: [InventoryChange]) -> String {
        let destinations = pending.count { $0.action != .remove && !$0.warnings.isEmpty }
        let losses = pending.count { $0.action == .remove }
        return "Make \(pending.count == 1 ? "this change" : "these \(pending.count) changes")"
            + (destinations == 0 ? "" : ", \(destinations) of them about where secrets are sent")
            + (losses == 0 ? "" : ", \(losses) of them to forget what the vault holds") + "?"
    }

    private func conclude(_ report: InventoryReport, _ terminal: Terminal) {
        for change in report.changes where change.outcome == "failed" {
            let message = change.message?.printable ?? "it failed"
            terminal.insist(
                Styled.red("error:", on: terminal.errors) + " \(change.kind) \(change.name): \(message)")
            if let hint = change.hint {
                terminal.insist(Styled.cyan("hint:", on: terminal.errors) + " \(hint.printable)")
            }
        }
        let (failed, blocked) = (report.count("failed"), report.count("blocked"))
        guard !report.changes.isEmpty else {
            terminal.note("nothing to do")
            return
        }
        let done = report.count("done") + report.count("unchanged")
        terminal.note(
            "\(done) done" + (failed == 0 ? "" : ", \(failed) failed")
                + (blocked == 0 ? "" : ", \(blocked) left to you"))
    }
}

import ArgumentParser
import KeyoverCore
import KeyoverEngine

/// `keyover rotate`.
struct RotateCommand: KeyoverSubcommand {
    static let isCancelledBySignals = false

    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Replace the primary secret without downtime.",
        discussion: """
            Starts a rotation or continues the one in progress. After the old secret is deleted there is no way back. \
            Exits with 8 when the next step is further off than --wait, and says what continues it.
            """)

    @OptionGroup var globals: GlobalOptions

    @Argument(help: ArgumentHelp("The clients.", valueName: "name"))
    var names: [ClientName] = []

    @Flag(help: "Continue what waits, then rotate what is due by its policy, the oldest first.")
    var due = false

    @Flag(help: "Rotate every client.")
    var all = false

    @Flag(help: "Change nothing; print what would be done.")
    var dryRun = false

    @Option(help: ArgumentHelp("Stop after this stage.", valueName: "stage"))
    var until: Stage?

    @OptionGroup var drive: DriveOptions
    @OptionGroup var why: ReasonOption

    @Option(
        help: ArgumentHelp("This secret has leaked: primary or secondary; nobody is waited for.", valueName: "slot"))
    var compromised: SlotName?

    @OptionGroup var confirmation: YesOption
    @OptionGroup var form: FormatOption

    func validate() throws {
        guard [!names.isEmpty, due, all].count(where: \.self) == 1 else {
            throw ValidationError("name the clients, or say --due or --all")
        }
        if compromised != nil, due { throw ValidationError("--compromised needs the clients by name") }
        if let until, until.isRollingBack || until == .needsAttention {
            throw ValidationError("--until takes a stage on the way forward: minting to completed")
        }
    }

    func run(in session: Session) async throws -> ExitStatus {
        let workspace = try await session.openWorkspace()
        let clients = try await selection(workspace, session.terminal)
        if dryRun { return try await showPlans(clients, workspace, session) }
        try confirm(clients, session)
        let driving = Driving(session: session, workspace: workspace)
        var reports: [RotationReport] = []
        for name in clients where !Signals.wasAsked {
            let report = await driving.drive(name) { engine in
                try await engine.rotate(
                    name, reason: why.reason, compromised: compromised,
                    options: RotationEngine.Options(wait: drive.wait, until: until))
            }
            if form.format == .table { report.show(on: session.terminal) }
            reports.append(report)
        }
        if due {
            let untouched = try await unverified(workspace)
            if form.format == .table { for report in untouched { report.show(on: session.terminal) } }
            reports += untouched
        }
        if form.format == .json { try session.terminal.show(json: reports) }
        try await workspace.noteAuditHead()
        return reports.map(\.status).max() ?? .done
    }

    private func confirm(_ clients: [ClientName], _ session: Session) throws {
        if due || clients.isEmpty { return }
        let isGrave = all || compromised != nil
        guard isGrave || Confirmation.isPossible else { return }
        let what = clients.count == 1 ? clients[0].description : "\(clients.count) clients"
        let leak = compromised.map { " away from the leaked \($0.rawValue), waiting for nobody" } ?? ""
        try confirmation.demand("Rotate \(what)\(leak)? Once the old secret is deleted there is no undo.", in: session)
    }

    // MARK: Which clients

    private func selection(_ workspace: Workspace, _ terminal: Terminal) async throws -> [ClientName] {
        if !names.isEmpty { return names }
        let records = try await workspace.vault.summaries(ClientRecord.self).map(\.record)
        if all { return records.map(\.name) }
        let now = workspace.now
        // What needs a person is not pushed by a timer; what runs elsewhere is not disturbed.
        let waiting = records.filter { record in
            if record.isToBeRecovered { return false }
            let urgency = NextStep(record, at: now, presence: workspace.presence).urgency
            return record.rotation != nil && (urgency == .waiting || urgency == .interrupted)
        }
        var due: [(name: ClientName, at: Timestamp)] = []
        for record in records where record.rotation == nil && record.restored == nil {
            let schedule = Schedule(record, try workspace.policy(for: record))
            if schedule.isDue(at: now.wall) { due.append((record.name, schedule.actsAt)) }
        }
        let clients = waiting.map(\.name) + due.sorted { ($0.at, $0.name) < ($1.at, $1.name) }.map(\.name)
        if clients.isEmpty { terminal.note("nothing is due") }
        return clients
    }

    /// What came out of a backup is reported and left alone: nobody knows which of its secrets works.
    private func unverified(_ workspace: Workspace) async throws -> [RotationReport] {
        try await workspace.vault.summaries(ClientRecord.self).map(\.record).filter(\.isToBeRecovered)
            .map { RotationReport(untouched: $0, at: workspace.now) }
    }

    private func showPlans(_ clients: [ClientName], _ workspace: Workspace, _ session: Session) async throws
        -> ExitStatus
    {
        var plans: [Plan] = []
        for name in clients { plans.append(try await Plan(name, workspace)) }
        if form.format == .json {
            try session.terminal.show(json: plans)
        } else {
            for (index, plan) in plans.enumerated() {
                if index > 0 { session.terminal.print("") }
                plan.show(on: session.terminal)
            }
        }
        return .done
    }
}

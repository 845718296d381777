import ArgumentParser
import KeyoverCore

/// `keyover explain`.
struct ExplainCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Explain a client's policy, strategy, next date, and what rotate would do.")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var client: ClientArgument
    @OptionGroup var form: FormatOption

    func run(in session: Session) async throws -> ExitStatus {
        let workspace = try await session.openWorkspace()
        let record = try await workspace.client(client.name).record
        let policy = try workspace.policy(for: record)
        let schedule = Schedule(record, policy)
        let plan = try await Plan(client.name, workspace)
        if form.format == .json {
            try session.terminal.show(
                json: View(
                    policy: PolicyView(policy), since: schedule.since, dueAt: schedule.actsAt,
                    deadline: schedule.deadline, why: schedule.reason, restored: record.restored, plan: plan))
            return .done
        }
        var sheet = Sheet()
        sheet.add(
            "policy", "\(policy.name): replaced by an age of \(policy.maximumAge), acts \(policy.actBefore) before")
        sheet.add(restored: record.restored)
        if record.isToBeRecovered { sheet.add("next", "keyover recover \(client.name)") }
        sheet.add("secret since", schedule.since.minute)
        sheet.add(
            "next date",
            "\(schedule.actsAt.minute), \(schedule.words(at: workspace.now.wall)), because "
                + schedule.reason)
        sheet.add("no later than", schedule.deadline.minute)
        session.terminal.show(sheet)
        session.terminal.print("")
        plan.show(on: session.terminal)
        return .done
    }

    private struct View: Encodable {
        let policy: PolicyView
        let since: Timestamp
        let dueAt: Timestamp
        let deadline: Timestamp
        let why: String
        let restored: Restoration?
        let plan: Plan
    }
}

/// A policy as `--format json` shows it: times as people write them.
struct PolicyView: Encodable {
    let name: String
    let maximumAge: String
    let actBefore: String
    let minimumOverlap: String
    let maximumOverlap: String
    let consumerCache: String
    let soak: String
    let verifyingExchanges: Int?
    let verificationPatience: String
    let allowedScopes: [String]?

    init(_ policy: RotationPolicy) {
        name = policy.name
        maximumAge = policy.maximumAge.description
        actBefore = policy.actBefore.description
        minimumOverlap = policy.minimumOverlap.description
        maximumOverlap = policy.maximumOverlap.description
        consumerCache = policy.consumerCache.description
        soak = policy.soak.description
        verifyingExchanges = policy.verifyingExchanges
        verificationPatience = policy.verificationPatience.description
        allowedScopes = policy.allowedScopes
    }
}

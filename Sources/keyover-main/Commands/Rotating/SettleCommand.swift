import ArgumentParser
import KeyoverCore
import KeyoverEngine

/// `keyover settle`.
struct SettleCommand: KeyoverSubcommand {
    static let isCancelledBySignals = false

    static let configuration = CommandConfiguration(
        commandName: "settle", abstract: "End a rotation that needs attention where it stands, on the active secret.",
        discussion: "The active secret is tried once more before. What the other one still can do is yours to see to.")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var client: ClientArgument
    @OptionGroup var confirmation: YesOption
    @OptionGroup var form: FormatOption

    func run(in session: Session) async throws -> ExitStatus {
        let driving = Driving(session: session, workspace: try await session.openWorkspace())
        if Confirmation.isPossible {
            try confirmation.demand(
                "End the rotation of \(client.name) without proof about the other secret?", in: session)
        }
        let report = await driving.drive(client.name) { engine in try await engine.settle(client.name) }
        return try await driving.finish(report, form)
    }
}

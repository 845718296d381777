import ArgumentParser
import KeyoverCore
import KeyoverEngine

/// `keyover abort`.
struct AbortCommand: KeyoverSubcommand {
    static let isCancelledBySignals = false

    static let configuration = CommandConfiguration(
        commandName: "abort", abstract: "Go back to the primary, before the point of no return.",
        discussion: "Traffic returns through the same gate, then the second secret is removed and proven dead.")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var client: ClientArgument
    @OptionGroup var drive: DriveOptions
    @OptionGroup var form: FormatOption

    func run(in session: Session) async throws -> ExitStatus {
        let driving = Driving(session: session, workspace: try await session.openWorkspace())
        let report = await driving.drive(client.name) { outcome in
            outcome == .rolledBack
        } _: { engine in
            try await engine.abort(client.name, options: RotationEngine.Options(wait: drive.wait))
        }
        return try await driving.finish(report, form)
    }
}

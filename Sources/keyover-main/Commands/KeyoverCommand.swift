import ArgumentParser

/// `keyover`: the root of all commands.
struct KeyoverCommand: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "keyover",
        abstract: "Rotates OAuth client secrets without downtime.",
        discussion: """
            Exit codes: 0 done, 1 failed and nothing lost, 2 usage, 3 no such client, 4 findings, 5 vault locked, \
            unavailable or not trusted, 6 another change is in progress, 7 needs attention, 8 waiting.
            """,
        version: version,
        groupedSubcommands: [
            CommandGroup(
                name: "Setting up",
                subcommands: [
                    InitCommand.self, TenantCommand.self, ClientCommand.self, ApplyCommand.self, ConfigCommand.self,
                ]),
            CommandGroup(name: "Using secrets", subcommands: [GetCommand.self, TokenCommand.self]),
            CommandGroup(
                name: "Rotating",
                subcommands: [
                    RotateCommand.self, StatusCommand.self, ExplainCommand.self, ResumeCommand.self,
                    AbortCommand.self, SettleCommand.self, VerifyCommand.self, RecoverCommand.self,
                ]),
            CommandGroup(name: "Looking back", subcommands: [LogCommand.self, VaultCommand.self]),
            CommandGroup(
                name: "Rehearsing",
                subcommands: [DemoCommand.self, SandboxCommand.self, CompletionsCommand.self]),
        ])
}

/// A command of Keyover: an exit status, global options, and what it does.
protocol KeyoverSubcommand: AsyncParsableCommand {
    /// The options that stand before or after the command.
    var globals: GlobalOptions { get }
    /// Whether a signal may cancel the task that runs it; not so where a rotation is driven.
    static var isCancelledBySignals: Bool { get }
    /// Does it.
    mutating func run(in session: Session) async throws -> ExitStatus
}

extension KeyoverSubcommand {
    static var isCancelledBySignals: Bool { true }

    /// Not called by ArgumentParser: ``Invocation`` runs commands in a session.
    mutating func run() async throws {
        let terminal = Terminal(quiet: globals.quiet, verbose: globals.verbose, noColor: globals.noColor)
        let session = Session(globals, terminal: terminal)
        let status = try await run(in: session)
        if status != .done { throw Finished(status: status) }
    }
}

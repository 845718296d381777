import ArgumentParser
import Glibc

/// One run of the program, from arguments to exit code.
enum Invocation {
    /// Parses the arguments, runs the command, reports what went wrong.
    static func run(_ arguments: [String]) async -> Int32 {
        let hoisted = ArgumentHoisting.hoisted(arguments, root: KeyoverCommand.self)
        let command: any ParsableCommand
        do {
            command = try KeyoverCommand.parseAsRoot(hoisted)
        } catch {
            let report = UsageReport(error, root: KeyoverCommand.self, arguments: arguments)
            report.show(on: Terminal(noColor: true))
            return report.status.rawValue
        }
        guard let command = command as? any KeyoverSubcommand else { return await runPlain(command) }
        return await run(command)
    }

    private static func run(_ command: some KeyoverSubcommand) async -> Int32 {
        let options = command.globals
        let terminal = Terminal(quiet: options.quiet, verbose: options.verbose, noColor: options.noColor)
        let boxed = UncheckedCommand(command)
        let cancels = type(of: command).isCancelledBySignals
        return await Signals.guarding(cancels: cancels) {
            if !cancels { terminal.note("stopping at the next safe point; once more to stop at once") }
        } _: {
            do {
                let session = Session(boxed.command.globals, terminal: terminal)
                return try await boxed.run(in: session).rawValue
            } catch {
                terminal.clearLive()
                let report = ErrorReport(error)
                report.show(on: terminal)
                return report.status.rawValue
            }
        }
    }

    /// Help of a group of commands, and the like.
    private static func runPlain(_ command: any ParsableCommand) async -> Int32 {
        var command = command
        do {
            try command.run()
            return ExitStatus.done.rawValue
        } catch {
            let report = UsageReport(error, root: KeyoverCommand.self, arguments: [])
            report.show(on: Terminal(noColor: true))
            return report.status.rawValue
        }
    }
}

/// A parsed command handed to the one task that runs it; ArgumentParser's property wrappers are not Sendable.
private final class UncheckedCommand<Command: KeyoverSubcommand>: @unchecked Sendable {
    private(set) var command: Command

    init(_ command: Command) {
        self.command = command
    }

    func run(in session: Session) async throws -> ExitStatus {
        try await command.run(in: session)
    }
}

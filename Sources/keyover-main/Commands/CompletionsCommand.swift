import ArgumentParser

/// `keyover completions SHELL`: a script for the shell.
struct CompletionsCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "completions", abstract: "Print a completion script for bash, zsh or fish.")

    @OptionGroup var globals: GlobalOptions

    @Argument(help: "The shell: bash, zsh or fish.")
    var shell: Shell

    enum Shell: String, CaseIterable, ExpressibleByArgument {
        case bash
        case zsh
        case fish

        var kind: CompletionShell {
            switch self {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        }
    }

    func run(in session: Session) async throws -> ExitStatus {
        session.terminal.print(KeyoverCommand.completionScript(for: shell.kind))
        return .done
    }
}

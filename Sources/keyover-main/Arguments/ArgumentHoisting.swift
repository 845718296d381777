import ArgumentParser

/// Lets the global options stand before the command too: `keyover --vault URL get billing-sync`.
///
/// ArgumentParser knows an option only where the command that declares it stands. Every command declares the global
/// ones, so those that stand earlier are moved to just behind the command's words.
struct ArgumentHoisting {
    private static let valued: Set = ["--config", "--vault", "--identity"]
    private static let flags: Set = ["--quiet", "-q", "--verbose", "-v", "--no-color"]

    /// The arguments with the leading global options moved behind the command's words.
    static func hoisted(_ arguments: [String], root: any ParsableCommand.Type) -> [String] {
        var (words, options): ([String], [String]) = ([], [])
        var command = root
        var rest = arguments[...]
        while let argument = rest.first {
            if flags.contains(argument) || isAssignment(argument) {
                options.append(argument)
                rest = rest.dropFirst()
            } else if valued.contains(argument), rest.count > 1 {
                options += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else if let next = subcommand(argument, of: command) {
                words.append(argument)
                command = next
                rest = rest.dropFirst()
            } else {
                break
            }
        }
        // A group of commands takes no options of its own; it only shows its help.
        let isGroup = !command.configuration.subcommands.isEmpty
        return words + (isGroup ? [] : options) + rest
    }

    private static func isAssignment(_ argument: String) -> Bool {
        valued.contains { argument.hasPrefix($0 + "=") }
    }

    private static func subcommand(_ word: String, of command: any ParsableCommand.Type) -> (any ParsableCommand.Type)?
    {
        command.configuration.subcommands.first { $0.configuration.commandName == word }
    }
}

import ArgumentParser
import KeyoverCore

/// The client that a command is about.
struct ClientArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The client.", valueName: "name"))
    var name: ClientName
}

/// How far one call of a command that drives a rotation goes.
struct DriveOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Wait so long for the next step; beyond it exit with 8 and say what continues.", valueName: "time"))
    var wait = TimeSpan.minutes(10)
}

/// Leave to do what cannot be undone without asking.
struct YesOption: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false
}

/// Why something is done, for the audit log.
struct ReasonOption: ParsableArguments {
    @Option(help: ArgumentHelp("Why, for the audit log.", valueName: "text"))
    var reason: String?
}

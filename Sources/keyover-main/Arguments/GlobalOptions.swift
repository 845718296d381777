import ArgumentParser

/// The options that every command takes, before or after its name.
struct GlobalOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Read this configuration and no other.", valueName: "file"), completion: .file())
    var config: String?

    @Option(help: ArgumentHelp("The vault, such as file:/srv/keyover/vault.", valueName: "url"))
    var vault: String?

    @Option(
        help: ArgumentHelp(
            "The age identity that opens the vault: a file, or libsecret for the desktop's keyring.", valueName: "file"),
        completion: .file())
    var identity: String?

    @Flag(name: .shortAndLong, help: "Say nothing but results and errors.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "Say what is done, step by step.")
    var verbose = false

    @Flag(help: "Do not use colour.")
    var noColor = false

    func validate() throws {
        if quiet, verbose { throw ValidationError("--quiet and --verbose exclude each other") }
    }
}

/// A command that prints results in a form for people or for programs.
struct FormatOption: ParsableArguments {
    @Option(help: "The form of the output: \(OutputFormat.words).")
    var format = OutputFormat.table
}

/// The forms of output that every command with results knows.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
    /// For people.
    case table
    /// For programs: stable names, sorted keys.
    case json

    static let words = allCases.map(\.rawValue).joined(separator: " or ")
}

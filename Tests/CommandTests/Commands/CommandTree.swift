import FoundationEssentials

/// What the program says about its own command line: each command with its options and the commands below it.
struct CommandTree: Sendable {
    /// The words, such as `keyover vault backup`.
    let path: String
    /// The visible options as they are typed, and whether a value follows.
    let options: [String: Bool]
    let children: [String: CommandTree]

    /// The commands that do something, rather than hold others.
    var leaves: [CommandTree] {
        children.isEmpty ? [self] : children.values.sorted { $0.path < $1.path }.flatMap(\.leaves)
    }

    /// Asks the built program.
    static func ofTheProgram() async throws -> CommandTree {
        let text = try await KeyoverHome().succeed("--experimental-dump-help")
        return CommandTree(try JSONDecoder().decode(Dump.self, from: Data(text.utf8)).command, below: [])
    }

    private init(_ command: Dump.Command, below parents: [String]) {
        let words = parents + [command.commandName]
        path = words.joined(separator: " ")
        var options: [String: Bool] = [:]
        for argument in command.arguments ?? [] where argument.shouldDisplay {
            for name in argument.names ?? [] {
                options[(name.kind == "long" ? "--" : "-") + name.name] = argument.kind == "option"
            }
        }
        self.options = options
        let visible = (command.subcommands ?? []).filter(\.shouldDisplay).map { CommandTree($0, below: words) }
        children = Dictionary(visible.map { ($0.path.split(separator: " ").last.map(String.init) ?? "", $0) }) { $1 }
    }

    /// What is wrong with the words behind `keyover`, as far as names of commands and options go; `nil` when nothing is.
    func complaint(about words: [String]) -> String? {
        var (command, rest) = (self, words[...])
        let globals = children["config"]?.options ?? [:]
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), word != "-", word != "--" else {
                if command.children.isEmpty { continue }
                guard let next = command.children[word] else { return "\(command.path) has no command \(word)" }
                command = next
                continue
            }
            let name = word.split(separator: "=").first.map(String.init) ?? word
            let known = command.children.isEmpty ? command.options : globals
            guard let takesValue = known[name] ?? command.options[name] else {
                return "\(command.path) has no option \(name)"
            }
            if takesValue, name == word, rest.popFirst() == nil { return "\(name) needs a value" }
        }
        return nil
    }
}

/// The form of `--experimental-dump-help`, as far as it is used.
private struct Dump: Decodable {
    struct Command: Decodable {
        let commandName: String
        let shouldDisplay: Bool
        let arguments: [Argument]?
        let subcommands: [Command]?
    }

    struct Argument: Decodable {
        struct Name: Decodable {
            let kind: String
            let name: String
        }

        let kind: String
        let shouldDisplay: Bool
        let names: [Name]?
    }

    let command: Command
}

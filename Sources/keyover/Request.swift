import KeyoverCore

/// A command line that the front can answer: `[--vault URL] [--identity FILE] get NAME [--field F] [--format F]`.
struct Request {
    var vault: String?
    var identity: String?
    let client: ClientName
    var field: SecretField?
    var format = SecretFormat.raw

    /// Reads a command line; `nil` for anything but the form above, correct or not.
    init?(_ arguments: [String]) {
        guard let program = arguments.first, program.split(separator: "/").last == "keyover" else { return nil }
        var values: [String: String] = [:]
        var words: [String] = []
        var rest = arguments.dropFirst()
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("-") else {
                words.append(argument)
                continue
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let isGlobal = ["--vault", "--identity"].contains(parts[0])
            guard isGlobal || (words.first == "get" && ["--field", "--format"].contains(parts[0])),
                let value = parts.count == 2 ? parts[1] : rest.popFirst(), !value.isEmpty, !value.hasPrefix("-"),
                values.updateValue(value, forKey: parts[0]) == nil
            else { return nil }
        }
        guard words.count == 2, words[0] == "get", let client = ClientName(words[1]) else { return nil }
        self.client = client
        vault = values["--vault"]
        identity = values["--identity"]
        if let word = values["--field"] {
            guard let field = SecretField(rawValue: word) else { return nil }
            self.field = field
        }
        if let word = values["--format"] {
            guard let format = SecretFormat(rawValue: word) else { return nil }
            self.format = format
        }
    }
}

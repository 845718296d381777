import KeyoverCore

/// What became of the clients of a file, for people and for programs; never with a secret.
struct ImportReport: Encodable {
    /// One client.
    struct Row: Encodable {
        let line: Int
        let name: ClientName
        let outcome: String
        let message: String?
        let hint: String?
    }

    let file: String
    let dryRun: Bool
    let clients: [Row]

    init(_ results: [ImportRun.Result], file: String, isDry: Bool, isVerifying: Bool) {
        self.file = file
        dryRun = isDry
        clients = results.map { result in
            let (outcome, message, hint): (String, String?, String?)
            switch result.outcome {
            case .added(let record):
                let isTried = isVerifying ? "accepted just now" : "not tried"
                let isKnown = record.primary.secretID == nil ? "; its id at the provider is not known" : ""
                (outcome, message, hint) = ("added", isTried + isKnown, nil)
            case .wouldAdd: (outcome, message, hint) = ("wouldAdd", nil, nil)
            case .unchanged: (outcome, message, hint) = ("unchanged", "in the vault with this secret", nil)
            case .failed(let why, let remedy): (outcome, message, hint) = ("failed", why, remedy)
            }
            return Row(line: result.entry.line, name: result.entry.name, outcome: outcome, message: message, hint: hint)
        }
    }

    /// Whether nothing failed.
    var isGood: Bool { !clients.contains { $0.outcome == "failed" } }

    /// How many ended in a way.
    func count(_ outcome: String) -> Int { clients.count { $0.outcome == outcome } }

    /// Shows the table; it is as wide as it has to be, since the last column says why.
    func show(on terminal: Terminal) {
        var table = Table("LINE", "CLIENT", "RESULT", "WHY")
        table.rows = clients.map { row in
            let style: Styled = row.outcome == "failed" ? .red : row.outcome == "unchanged" ? .dim : .green
            let word = row.outcome == "wouldAdd" ? "would be added" : row.outcome
            return [
                String(row.line), row.name.description, style(word, on: terminal.output),
                row.message?.printable ?? "-",
            ]
        }
        for line in table.lines(width: nil, on: terminal.output) { terminal.print(line) }
    }

    private enum CodingKeys: String, CodingKey {
        case file, dryRun, clients, added, unchanged, failed
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(file, forKey: .file)
        try container.encode(dryRun, forKey: .dryRun)
        try container.encode(clients, forKey: .clients)
        try container.encode(count("added"), forKey: .added)
        try container.encode(count("unchanged"), forKey: .unchanged)
        try container.encode(count("failed"), forKey: .failed)
    }
}

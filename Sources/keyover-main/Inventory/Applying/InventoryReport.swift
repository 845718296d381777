import KeyoverCore

/// The differences between an inventory and the vault, for people and for programs.
struct InventoryReport: Encodable {
    /// One field of a difference.
    struct Field: Encodable {
        let field: String
        let old: String?
        let new: String?
    }

    /// One difference and, once it was tried, what became of it.
    struct Change: Encodable {
        let kind: String
        let name: String
        let action: InventoryChange.Action
        let fields: [Field]
        let warnings: [String]
        let outcome: String
        let message: String?
        let hint: String?
    }

    let dryRun: Bool
    let changes: [Change]
    let unchanged: Int
    let unlisted: Int

    /// The differences; with outcomes, what became of them.
    init(_ plan: InventoryPlan, _ outcomes: [InventoryChange.Subject: InventoryApplier.Outcome] = [:], isDry: Bool) {
        dryRun = isDry
        unchanged = plan.unchanged
        unlisted = plan.unlisted
        changes = plan.changes.map { change in
            var (outcome, message, hint): (String, String?, String?) = ("planned", nil, nil)
            switch outcomes[change.subject] {
            case .done: outcome = "done"
            case .unchanged: outcome = "unchanged"
            case .failed(let why, let remedy): (outcome, message, hint) = ("failed", why, remedy)
            case nil:
                if case .blocked(let why, let remedy) = change.work {
                    (outcome, message, hint) = ("blocked", why, remedy)
                }
            }
            return Change(
                kind: change.subject.kind, name: change.subject.name, action: change.action,
                fields: change.fields.map { Field(field: $0.key, old: $0.old, new: $0.new) },
                warnings: change.warnings, outcome: outcome, message: message, hint: hint)
        }
    }

    /// Whether the vault is now, or will be, as the inventory says.
    var isGood: Bool { !changes.contains { $0.outcome == "failed" || $0.outcome == "blocked" } }

    /// How many ended in a way.
    func count(_ outcome: String) -> Int { changes.count { $0.outcome == outcome } }

    /// The differences as lines: `+` added, `~` changed, `-` removed, `?` left to a person.
    func lines(on stream: Terminal.Stream) -> [String] {
        var lines: [String] = []
        for change in changes {
            let (sign, style): (String, Styled) =
                switch change.action {
                case .add: ("+", .green)
                case .change: ("~", .yellow)
                case .remove: ("-", .red)
                case .blocked: ("?", .cyan)
                }
            let message = change.action == .blocked ? change.message.map { ": \($0.printable)" } ?? "" : ""
            lines.append(style("\(sign) \(change.kind) \(change.name)\(message)", on: stream))
            if change.action == .blocked, let hint = change.hint { lines.append("    \(hint.printable)") }
            for field in change.fields {
                let new = field.new?.printable ?? "(none)"
                let old = field.old?.printable ?? "(none)"
                lines.append("    \(field.field.printable): " + (change.action == .add ? new : "\(old) -> \(new)"))
            }
            for warning in change.warnings { lines.append("    " + Styled.bold(warning.printable, on: stream)) }
        }
        return lines
    }

    /// What there is, in one line.
    var summary: String {
        let kinds: [(InventoryChange.Action, String)] = [
            (.add, "to add"), (.change, "to change"), (.remove, "to remove"), (.blocked, "left to you"),
        ]
        let counts = kinds.compactMap { action, words in
            let count = changes.count { $0.action == action }
            return count == 0 ? nil : "\(count) \(words)"
        }
        let rest = unlisted == 0 ? "" : ", \(unlisted) not in the inventory"
        return (counts + ["\(unchanged) unchanged"]).joined(separator: ", ") + rest
    }
}

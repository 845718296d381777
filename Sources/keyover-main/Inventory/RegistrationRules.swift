import KeyoverCore

/// What the parts of a registration may look like, wherever somebody writes them: as options, in a table, in an inventory.
enum RegistrationRules {
    /// What a span of time looks like, in words.
    static let span = "a time such as 30s, 5m or 1h"
    /// What a name looks like, in words.
    static let name = "a name of at most 128 letters, digits, dots, dashes and underscores"
    /// The strategies that there are.
    static var strategies: String { Strategies.all.map(\.name.description).joined(separator: ", ") }

    /// Whether a text is one scope of RFC 6749 section 3.3.
    static func isScope(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
    }

    /// Whether there is a strategy of that name.
    static func isStrategy(_ text: String) -> Bool { Strategies.named(StrategyName(text)) != nil }

    /// Whether a text may name a program to start.
    static func isCommand(_ path: String) -> Bool { path.hasPrefix("/") }

    /// A program as the target of a delivery.
    static func delivery(_ path: String) -> DeliveryTarget { DeliveryTarget(kind: "command", arguments: [path]) }

    /// Whether a text can be a client id: not empty, and nothing that no authorization server would take.
    static func isClientID(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 1024 && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }
}

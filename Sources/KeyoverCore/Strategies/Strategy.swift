/// The name of a registered strategy, such as `overlap-add`.
public struct StrategyName: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The word.
    public let description: String

    /// The name of a strategy.
    public init(_ description: String) {
        self.description = description
    }

    /// Reads a plain string.
    public init(from decoder: any Decoder) throws {
        description = try decoder.singleValueContainer().decode(String.self)
    }

    /// Writes a plain string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// How a rotation is carried out on a provider with given capabilities.
///
/// A strategy is data: the machine asks it for the way and for who does the provider's part, and has no other knowledge
/// of it.
public protocol Strategy: Sendable {
    /// The registered name.
    var name: StrategyName { get }
    /// One line for `explain` and the dry-run.
    var summary: String { get }
    /// Who makes and removes secrets.
    var provision: Provision { get }
    /// What it cannot promise, in words that name the invariant it waives; empty when it waives none.
    var waivers: [String] { get }
    /// The stage whose first provider write cannot be undone.
    var pointOfNoReturn: Stage { get }
    /// The stages of a rotation that goes well, in order, for a provider with these capabilities.
    func path(_ capabilities: Capabilities) -> [Stage]
    /// Why this strategy cannot be used with these capabilities; `nil` when it can.
    func objection(to capabilities: Capabilities) -> String?
}

/// Who makes and removes secrets.
public enum Provision: Sendable {
    /// Calls to the provider.
    case calls
    /// A person at the provider's console.
    case person
}

extension Strategy {
    /// The stage after one of the path; `completed` after the last.
    public func stage(after stage: Stage, _ capabilities: Capabilities) -> Stage {
        let path = path(capabilities)
        guard let index = path.firstIndex(of: stage), index + 1 < path.count else { return .completed }
        return path[index + 1]
    }
}

/// All strategies, in order of preference.
public enum Strategies {
    /// The registry: a new strategy is one file and one line here.
    public static let all: [any Strategy] = [
        OverlapAdd(),
        Manual(),
    ]

    /// The strategy of a name.
    public static func named(_ name: StrategyName) -> (any Strategy)? {
        all.first { $0.name == name }
    }

    /// The first strategy that has no objection to the capabilities.
    public static func suitable(for capabilities: Capabilities) -> (any Strategy)? {
        all.first { $0.objection(to: capabilities) == nil }
    }
}

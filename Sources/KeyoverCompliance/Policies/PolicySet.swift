public import KeyoverCore

/// The policies that are in force, and which of them a client falls under.
public struct PolicySet: Sendable {
    /// The label of a client that names its policy.
    public static let label = "policy"
    /// The policy of clients whose label names none, where there are several.
    public static let standardName = "default"

    /// All policies.
    public let policies: [RotationPolicy]

    /// A set of policies; an empty one is the built-in policy alone.
    public init(_ policies: [RotationPolicy] = []) {
        self.policies = policies.isEmpty ? [RotationPolicy()] : policies
    }

    /// The policy that the client's label `policy` names, else the only one, else the one called `default`.
    public func policy(for client: ClientRecord) throws(PolicyError) -> RotationPolicy {
        let wanted = client.registration.labels[Self.label]
        if wanted == nil, policies.count == 1 { return policies[0] }
        if let found = policies.first(where: { $0.name == wanted ?? Self.standardName }) { return found }
        let names = policies.map(\.name).joined(separator: ", ")
        throw PolicyError(
            .invalidValue,
            wanted.map { "\(client.name) is labelled with the policy \($0), which there is not" }
                ?? "there are several policies and none is for \(client.name)",
            remedy: "run keyover client edit \(client.name) --label \(Self.label)=NAME with one of: \(names)")
    }
}

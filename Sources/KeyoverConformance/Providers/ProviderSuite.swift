public import KeyoverCore

/// What every provider adapter promises, by the powers that it has.
///
/// The suite asks the adapter itself which of the small protocols it conforms to; what it does not claim is not tested, and
/// what it claims in its capabilities it must conform to.
public struct ProviderSuite: Sendable {
    /// Runs a test with a fixture that was made for it, and ends the fixture.
    public typealias Runner = @Sendable (@Sendable (any ProviderFixture) async throws -> Void) async throws -> Void

    let sample: any Provider
    let withFixture: Runner

    /// A suite for adapters like the sample.
    public init(sample: any Provider, withFixture: @escaping Runner) {
        self.sample = sample
        self.withFixture = withFixture
    }

    /// All cases that apply.
    public var cases: [ConformanceCase] {
        let powers = ProviderPowers(sample)
        var cases = descriptorCases
        if powers.listing != nil { cases += listingCases }
        if powers.adding != nil { cases += addingCases }
        if powers.removing != nil { cases += removingCases }
        if powers.deactivating != nil { cases += deactivatingCases }
        if powers.usage != nil, powers.adding != nil { cases += usageCases }
        if powers.revoking != nil { cases += revokingCases }
        return cases
    }

    /// A case that needs the server behind the adapter.
    func serverCase(_ name: String, _ body: @escaping @Sendable (ProviderBench) async throws -> Void) -> ConformanceCase
    {
        ConformanceCase(name) {
            try await withFixture { fixture in
                guard let server = fixture as? any ProviderServerFixture else {
                    throw ConformanceFailure("an adapter with powers needs a ProviderServerFixture")
                }
                try await body(try await ProviderBench(server))
            }
        }
    }

    // MARK: What the adapter says of itself

    private var descriptorCases: [ConformanceCase] {
        [
            ConformanceCase("capabilities are backed by powers") {
                try await withFixture { fixture in
                    let powers = ProviderPowers(fixture.provider)
                    let capabilities = fixture.provider.capabilities
                    try expect(capabilities.maxSecrets >= 1, "maxSecrets is \(capabilities.maxSecrets)")
                    try expect(capabilities.propagationBound >= .zero, "the propagation bound is negative")
                    try expect(capabilities.commitDelay > .zero, "the commit delay is not positive")
                    try expect(capabilities.verifyingExchanges >= 1, "no exchange verifies")
                    try expect(
                        !capabilities.deletesByID || powers.removing != nil, "deletesByID without SecretRemoving")
                    try expect(
                        !capabilities.reversibleDeactivate || powers.deactivating != nil,
                        "reversibleDeactivate without SecretDeactivating")
                    try expect(
                        capabilities.evidence == .none || powers.usage != nil, "usage evidence without UsageReporting")
                    try expect(
                        capabilities.mintRepair != .removeTagged || (powers.adding != nil && powers.removing != nil),
                        "removeTagged without adding and removing")
                }
            },
            ConformanceCase("some strategy suits the capabilities") {
                try await withFixture { fixture in
                    try expect(Strategies.suitable(for: fixture.provider.capabilities) != nil, "none suits")
                }
            },
            ConformanceCase("a person is told what no call can do") {
                try await withFixture { fixture in
                    guard ProviderPowers(fixture.provider).adding == nil, let name = ClientName("billing-sync") else {
                        return
                    }
                    let client = ClientReference(name: name, clientID: "the-client-id")
                    for step in [ManualStep.addSecret, .deleteSecret(.primary, SecretID("the-secret-id"))] {
                        let lines = fixture.provider.instructions(for: step, client: client)
                        try expect(lines.count >= 2, "too few steps for \(step)")
                        for (index, line) in lines.enumerated() {
                            try expect(line.hasPrefix("\(index + 1). "), "not numbered: \(line)")
                        }
                        let text = lines.joined(separator: "\n")
                        try expect(text.contains("the-client-id"), "the client id is not named")
                        try expect(text.contains("keyover resume billing-sync"), "the next command is not named")
                    }
                }
            },
        ]
    }
}

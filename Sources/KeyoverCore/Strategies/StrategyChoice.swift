extension Strategies {
    /// The strategy for a client: the one it is registered with, else the first that fits what the provider can do.
    public static func choose(
        for client: ClientRecord, provider: any Provider
    ) throws(RotationError) -> any Strategy {
        let capabilities = provider.capabilities
        let remedy = "run keyover client edit \(client.name) --strategy NAME"
        if let name = client.registration.strategy {
            guard let strategy = named(name) else {
                throw RotationError(.unsupportedStrategy, "there is no strategy named \(name)", remedy: remedy)
            }
            if let objection = strategy.objection(to: capabilities) {
                throw RotationError(
                    .unsupportedStrategy, "\(name) cannot be used for \(client.name): \(objection)", remedy: remedy)
            }
            return strategy
        }
        let hasCalls = ProviderPowers(provider).adding != nil
        let fitting = all.first { strategy in
            strategy.objection(to: capabilities) == nil && (hasCalls || strategy.provision == .person)
        }
        guard let fitting else {
            throw RotationError(
                .unsupportedStrategy, "no strategy fits the provider of \(client.name)",
                remedy: "run keyover explain \(client.name)")
        }
        return fitting
    }
}

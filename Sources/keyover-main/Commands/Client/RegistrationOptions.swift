import ArgumentParser
import KeyoverCore

/// What `client add` and `client edit` say about a client; in `edit` an empty value takes it back.
struct RegistrationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The token endpoint, when it is not the tenant's.", valueName: "url"))
    var tokenURL: String?

    @Option(help: "A scope to ask for; may be repeated.")
    var scope: [String] = []

    @Option(
        help: ArgumentHelp(
            "How the consumers authenticate, and so how secrets are tried: basic or post.", valueName: "basic|post"))
    var auth: AuthenticationArgument?

    @Option(
        help: ArgumentHelp(
            "A resource that has to take a token of a new secret before traffic moves.", valueName: "url"))
    var canaryURL: String?

    @Option(help: "Who answers for the client.")
    var owner: String?

    @Option(help: ArgumentHelp("A label; may be repeated.", valueName: "key=value"))
    var label: [KeyValue] = []

    @Option(help: ArgumentHelp("How long the slowest consumer may keep a secret, such as 5m.", valueName: "time"))
    var consumerCache: String?

    @Option(
        help: "How to rotate, when it is not chosen by what the provider can do.",
        completion: .list(Strategies.all.map(\.name.description)))
    var strategy: String?

    @Option(
        help: ArgumentHelp(
            "A program to start when traffic moves, by its absolute path; may be repeated.", valueName: "path"),
        completion: .file())
    var deliverCommand: [String] = []

    func validate() throws {
        if let consumerCache, !consumerCache.isEmpty, TimeSpan(consumerCache) == nil {
            throw ValidationError("--consumer-cache takes \(RegistrationRules.span)")
        }
        for path in deliverCommand where !path.isEmpty && !RegistrationRules.isCommand(path) {
            throw ValidationError("--deliver-command takes an absolute path, not \(path)")
        }
        if let strategy, !strategy.isEmpty, !RegistrationRules.isStrategy(strategy) {
            throw ValidationError("there is no strategy \(strategy); choose one of: \(RegistrationRules.strategies)")
        }
        for text in scope where !text.isEmpty && !RegistrationRules.isScope(text) {
            throw ValidationError("a scope is one word; give several with several --scope")
        }
    }

    /// Puts what was given into the registration.
    func apply(to registration: inout Registration) {
        func given(_ text: String) -> String? { text.isEmpty ? nil : text }
        if let tokenURL { registration.tokenURL = given(tokenURL) }
        if !scope.isEmpty { registration.scopes = scope.filter { !$0.isEmpty } }
        if let auth { registration.authentication = auth.value }
        if let canaryURL { registration.canaryURL = given(canaryURL) }
        if let owner { registration.owner = given(owner) }
        for item in label { registration.labels[item.key] = given(item.value) }
        if let consumerCache { registration.consumerCache = TimeSpan(consumerCache) }
        if let strategy { registration.strategy = given(strategy).map { StrategyName($0) } }
        if !deliverCommand.isEmpty {
            registration.deliveries = deliverCommand.filter { !$0.isEmpty }.map { path in
                RegistrationRules.delivery(path)
            }
        }
    }
}

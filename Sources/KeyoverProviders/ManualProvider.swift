public import KeyoverCore
import KeyoverOAuth

/// A provider whose secrets only a person can make and delete, at a console that holds two for a client.
///
/// Keyover verifies, moves traffic and proves; for the rest it tells the person what to do.
public struct ManualProvider: Provider {
    /// `manual`.
    public static let kind = "manual"

    /// Two secrets a client, and nothing that a call could do.
    public let capabilities: Capabilities
    /// The tenant's token endpoint.
    public let tokenURL: String?
    private let tenant: TenantName
    private let addSteps: String?
    private let deleteSteps: String?

    private static let loopbackSetting = "allow_loopback_http"

    static let registration = ProviderKind(
        kind: kind, summary: "a console with two secrets a client; a person adds and deletes, Keyover does the rest",
        settings: [
            .init("token_url", "the token endpoint", isRequired: true),
            .init(
                "add_steps",
                "how a person adds a secret, in place of the general words; several lines are several steps"),
            .init("delete_steps", "how a person deletes a secret, likewise"),
            .init("propagation", "by when a change of a secret is in force everywhere (60s)"),
            .init(loopbackSetting, "whether the token endpoint may have plain http on 127.0.0.1 or [::1] (false)"),
        ],
        allowsLoopbackHTTP: { $0.settings[loopbackSetting] == "true" },
        build: { tenant, _ throws(ConfigurationError) in try ManualProvider(tenant: tenant) })

    init(tenant: TenantRecord) throws(ConfigurationError) {
        let settings = SettingsReader(tenant: tenant)
        var capabilities = Capabilities(maxSecrets: 2)
        capabilities.propagationBound = try settings.timeSpan("propagation", default: .seconds(60))
        self.capabilities = capabilities
        tokenURL = try settings.url(
            tenant.settings["token_url"] ?? "", named: "token_url",
            allowsLoopbackHTTP: try settings.boolean(Self.loopbackSetting, default: false)
        ).description
        self.tenant = tenant.name
        addSteps = tenant.settings["add_steps"]
        deleteSteps = tenant.settings["delete_steps"]
    }

    /// The numbered steps, each naming what it is about; the last is the command that hands the work back.
    public func instructions(for step: ManualStep, client: ClientReference) -> [String] {
        let opening = "Open the console of \(tenant) and find the client with id \(client.clientID)."
        let steps: [String]
        switch step {
        case .addSecret:
            let own = addSteps.map(Self.lines) ?? ["Add a second secret. Leave the existing one as it is."]
            steps =
                [opening] + own + [
                    "Copy the new value and hand it over: keyover resume \(client.name) --secret-stdin"
                ]
        case .deleteSecret(let slot, let id):
            let which = id.map { "with id \($0)" } ?? (slot == .primary ? "that is older" : "that is newer")
            let own = deleteSteps.map(Self.lines) ?? []
            steps =
                [opening] + own + [
                    "Delete the secret \(which), Keyover's \(slot.rawValue). Leave the other one as it is.",
                    "Say that it is done: keyover resume \(client.name) --deleted",
                ]
        }
        return steps.enumerated().map { "\($0.offset + 1). \($0.element)" }
    }

    private static func lines(_ text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).map(String.init)
    }
}

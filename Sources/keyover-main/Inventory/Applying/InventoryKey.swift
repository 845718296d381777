import KeyoverCompliance
import KeyoverCore
import KeyoverProviders

/// One key of a tenant or a client in an inventory: what it takes and what it says.
struct InventoryKey<Draft>: Sendable {
    let name: String
    let wants: String
    /// Takes a value; `false` when it is none for this key.
    let apply: @Sendable (YAMLNode, inout Draft) -> Bool

    /// A key that takes a text which something can be made of.
    static func parsed<Value>(
        _ name: String, _ wants: String, _ parse: @escaping @Sendable (String) -> Value?,
        _ store: @escaping @Sendable (Value, inout Draft) -> Void
    ) -> Self {
        Self(name: name, wants: wants) { node, draft in
            guard let text = node.text, let value = parse(text) else { return false }
            store(value, &draft)
            return true
        }
    }

    /// A key that takes any text but an empty one.
    static func text(_ name: String, _ store: @escaping @Sendable (String, inout Draft) -> Void) -> Self {
        parsed(name, "a text", { $0.isEmpty ? nil : $0 }, store)
    }

    /// A key that takes words with texts.
    static func texts(_ name: String, _ store: @escaping @Sendable ([String: String], inout Draft) -> Void) -> Self {
        Self(name: name, wants: "keys with texts") { node, draft in
            guard case .mapping(let entries) = node.value else { return false }
            var texts: [String: String] = [:]
            for entry in entries {
                guard let text = entry.value.text, !text.isEmpty, !entry.key.isEmpty else { return false }
                texts[entry.key] = text
            }
            store(texts, &draft)
            return true
        }
    }

    /// A key that takes the absolute path of a file.
    static func file(_ name: String, _ store: @escaping @Sendable (String, inout Draft) -> Void) -> Self {
        parsed(name, "the absolute path of a file", { $0.hasPrefix("/") ? $0 : nil }, store)
    }
}

/// A tenant as an inventory describes it.
struct TenantEntry: Sendable {
    var place: YAMLMapping.Place
    var name: TenantName?
    var provider: String?
    var region: String?
    var baseURL: String?
    var settings: [String: String] = [:]
    var adminFile: String?

    /// The registry: a new key of a tenant is one line here.
    static let keys: [InventoryKey<Self>] = [
        .parsed("name", RegistrationRules.name, { TenantName($0) }, { $1.name = $0 }),
        .parsed(
            "provider", "one of: \(ProviderRegistry.all.map(\.kind).joined(separator: ", "))",
            { word in ProviderRegistry.all.contains { $0.kind == word } ? word : nil }, { $1.provider = $0 }),
        .text("region") { $1.region = $0 },
        .text("base_url") { $1.baseURL = $0 },
        .texts("settings") { $1.settings = $0 },
        .file("admin_file") { $1.adminFile = $0 },
    ]

    /// The record with what the inventory says put in.
    func apply(to tenant: inout TenantRecord) {
        tenant.region = region
        tenant.baseURL = baseURL
        tenant.settings = settings
    }
}

/// A client as an inventory describes it.
struct ClientEntry: Sendable {
    var place: YAMLMapping.Place
    var name: ClientName?
    var tenant: TenantName?
    var clientID: String?
    var secretFile: String?
    var secretID: SecretID?
    var issuedAt: Timestamp?
    var tokenURL: String?
    var scopes: [String] = []
    var authentication: ClientAuthentication?
    var canaryURL: String?
    var owner: String?
    var labels: [String: String] = [:]
    var consumerCache: TimeSpan?
    var strategy: StrategyName?
    var commands: [String] = []

    /// The registry: a new key of a client is one line here.
    static let keys: [InventoryKey<Self>] = [
        .parsed("name", RegistrationRules.name, { ClientName($0) }, { $1.name = $0 }),
        .parsed("tenant", "the name of a tenant", { TenantName($0) }, { $1.tenant = $0 }),
        .parsed(
            "client_id", "printable ASCII characters, 1024 at most",
            { RegistrationRules.isClientID($0) ? $0 : nil }, { $1.clientID = $0 }),
        .text("token_url") { $1.tokenURL = $0 },
        list("scopes", "a list of scopes", RegistrationRules.isScope) { $1.scopes = $0 },
        .parsed("auth", "basic or post", { AuthenticationArgument(rawValue: $0) }, { $1.authentication = $0.value }),
        .text("canary_url") { $1.canaryURL = $0 },
        .text("owner") { $1.owner = $0 },
        .texts("labels") { $1.labels = $0 },
        .parsed("consumer_cache", RegistrationRules.span, { TimeSpan($0) }, { $1.consumerCache = $0 }),
        .parsed(
            "strategy", "one of: \(RegistrationRules.strategies)",
            { RegistrationRules.isStrategy($0) ? StrategyName($0) : nil }, { $1.strategy = $0 }),
        list("deliver_commands", "a list of absolute paths", RegistrationRules.isCommand) { $1.commands = $0 },
        .file("secret_file") { $1.secretFile = $0 },
        .text("secret_id") { $1.secretID = SecretID($0) },
        .parsed("issued_at", "a date such as 2026-01-31", { Timestamp($0) }, { $1.issuedAt = $0 }),
    ]

    private static func list(
        _ name: String, _ wants: String, _ accepts: @escaping @Sendable (String) -> Bool,
        _ store: @escaping @Sendable ([String], inout Self) -> Void
    ) -> InventoryKey<Self> {
        InventoryKey(name: name, wants: wants) { node, draft in
            guard case .list(let items) = node.value else { return false }
            let texts = items.compactMap(\.text)
            guard texts.count == items.count, texts.allSatisfy(accepts) else { return false }
            store(texts, &draft)
            return true
        }
    }

    /// What the inventory says, as it is registered; what it leaves out is as if it had never been said.
    func registration(in tenant: TenantName, standardURL: String?) -> Registration {
        var registration = Registration(tenant: tenant)
        registration.tokenURL = tokenURL ?? standardURL
        registration.scopes = scopes
        registration.authentication = authentication ?? registration.authentication
        registration.canaryURL = canaryURL
        registration.owner = owner
        registration.labels = labels
        registration.consumerCache = consumerCache
        registration.strategy = strategy
        registration.deliveries = commands.map(RegistrationRules.delivery)
        return registration
    }
}

extension YAMLNode {
    /// The text, when it is one.
    var text: String? {
        guard case .text(let text) = value else { return nil }
        return text
    }
}

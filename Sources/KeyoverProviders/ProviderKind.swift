public import KeyoverCore
public import KeyoverOAuth

/// One kind of authorization server that Keyover knows, and how an adapter to it is made.
public struct ProviderKind: Sendable {
    /// A setting that a tenant of this kind takes.
    public struct Setting: Sendable {
        /// The key, as in `tenant add --set KEY=VALUE`.
        public let name: String
        /// What it means, with its default.
        public let summary: String
        /// Whether there is no default.
        public let isRequired: Bool

        /// A setting.
        public init(_ name: String, _ summary: String, isRequired: Bool = false) {
            self.name = name
            self.summary = summary
            self.isRequired = isRequired
        }
    }

    /// The word for it, as in `tenant add --provider KIND`.
    public let kind: String
    /// One line for lists.
    public let summary: String
    /// The settings it takes; any other is an error.
    public let settings: [Setting]
    /// Whether a tenant needs a base URL.
    public let needsBaseURL: Bool
    /// Whether a tenant needs a credential that may administer clients.
    public let needsAdminCredential: Bool
    private let isLoopbackAllowed: @Sendable (TenantRecord) -> Bool
    private let build: @Sendable (TenantRecord, BoundedHTTP) throws(ConfigurationError) -> any Provider

    /// A kind and the way to make its adapter, which may rely on required settings, base URL and credential.
    init(
        kind: String, summary: String, settings: [Setting] = [], needsBaseURL: Bool = false,
        needsAdminCredential: Bool = false,
        allowsLoopbackHTTP: @escaping @Sendable (TenantRecord) -> Bool = { _ in false },
        build: @escaping @Sendable (TenantRecord, BoundedHTTP) throws(ConfigurationError) -> any Provider
    ) {
        self.kind = kind
        self.summary = summary
        self.settings = settings
        self.needsBaseURL = needsBaseURL
        self.needsAdminCredential = needsAdminCredential
        isLoopbackAllowed = allowsLoopbackHTTP
        self.build = build
    }

    /// Whether the tenant's endpoints may have plain http on a literal loopback address; its exchanger has to be told.
    public func allowsLoopbackHTTP(for tenant: TenantRecord) -> Bool {
        isLoopbackAllowed(tenant)
    }

    /// An adapter for the tenant, after everything about its settings that can be checked without a call was checked.
    public func make(tenant: TenantRecord, http: BoundedHTTP) throws(ConfigurationError) -> any Provider {
        try checkSettings(of: tenant)
        if needsAdminCredential, tenant.adminCredential == nil {
            throw ConfigurationError(
                .invalidValue, "tenant \(tenant.name) has no admin credential, or it cannot be read with this identity",
                remedy: "give it with keyover tenant edit \(tenant.name) --admin-stdin")
        }
        return try build(tenant, http)
    }

    /// Checks the tenant's settings alone, as `tenant add` does before it stores them.
    public func checkSettings(of tenant: TenantRecord) throws(ConfigurationError) {
        let remedy = "change it with keyover tenant edit \(tenant.name)"
        if let unknown = tenant.settings.keys.sorted().first(where: { key in !settings.contains { $0.name == key } }) {
            let known = settings.isEmpty ? "none" : settings.map(\.name).joined(separator: ", ")
            throw ConfigurationError(
                .unknownKey, "provider \(kind) takes no setting \(unknown) (it takes: \(known))", remedy: remedy)
        }
        if let missing = settings.first(where: { $0.isRequired && tenant.settings[$0.name] == nil }) {
            throw ConfigurationError(
                .invalidValue, "tenant \(tenant.name) lacks the setting \(missing.name) of provider \(kind)",
                remedy: "give it with --set \(missing.name)=VALUE")
        }
        if needsBaseURL, tenant.baseURL == nil {
            throw ConfigurationError(
                .invalidValue, "tenant \(tenant.name) lacks the base URL that provider \(kind) needs",
                remedy: "give it with --base-url URL")
        }
    }
}

/// A tenant's settings as values.
struct SettingsReader {
    let tenant: TenantRecord

    func timeSpan(_ name: String, default standard: TimeSpan) throws(ConfigurationError) -> TimeSpan {
        guard let text = tenant.settings[name] else { return standard }
        guard let span = TimeSpan(text) else { throw invalid(name, "a time such as 500ms, 10s or 2m") }
        return span
    }

    func boolean(_ name: String, default standard: Bool) throws(ConfigurationError) -> Bool {
        guard let text = tenant.settings[name] else { return standard }
        guard let value = Bool(text) else { throw invalid(name, "true or false") }
        return value
    }

    func count(_ name: String, default standard: Int, in range: ClosedRange<Int>) throws(ConfigurationError) -> Int {
        guard let text = tenant.settings[name] else { return standard }
        guard let value = Int(text), range.contains(value) else {
            throw invalid(name, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func url(_ text: String, named name: String, allowsLoopbackHTTP: Bool) throws(ConfigurationError) -> EndpointURL {
        do {
            return try EndpointURL(text, allowsLoopbackHTTP: allowsLoopbackHTTP)
        } catch {
            throw ConfigurationError(
                .invalidURL, "tenant \(tenant.name), \(name): \(error.message)", remedy: error.remedy, underlying: error
            )
        }
    }

    private func invalid(_ name: String, _ wanted: String) -> ConfigurationError {
        ConfigurationError(
            .invalidValue, "tenant \(tenant.name): the setting \(name) takes \(wanted)",
            remedy: "change it with keyover tenant edit \(tenant.name) --set \(name)=VALUE")
    }
}

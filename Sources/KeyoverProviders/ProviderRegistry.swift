public import KeyoverCore
public import KeyoverOAuth

/// All kinds of providers.
public enum ProviderRegistry {
    /// The registry: a new provider is one file and one line here.
    public static let all: [ProviderKind] = [
        SandboxProvider.registration,
        ManualProvider.registration,
    ]

    /// The kind of a name.
    public static func kind(named name: String) throws(ConfigurationError) -> ProviderKind {
        guard let found = all.first(where: { $0.kind == name }) else {
            throw ConfigurationError(
                .unknownProvider, "there is no provider \(name)",
                remedy: "choose one of: \(all.map(\.kind).joined(separator: ", "))")
        }
        return found
    }

    /// The adapter for a tenant.
    public static func make(tenant: TenantRecord, http: BoundedHTTP) throws(ConfigurationError) -> any Provider {
        try kind(named: tenant.provider).make(tenant: tenant, http: http)
    }
}

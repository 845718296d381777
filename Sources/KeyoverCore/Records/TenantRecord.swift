/// A named provider account.
public struct TenantRecord: VaultRecord {
    /// `tenant`.
    public static let kind = "tenant"
    /// The newest format.
    public static let formatVersion = 1

    /// The record's own id, fresh at creation.
    public let id: UUIDv7
    /// The Keyover name.
    public let name: TenantName
    /// The registered provider kind, such as `sandbox` or `manual`.
    public var provider: String
    /// The provider's region, where it has some.
    public var region: String?
    /// Where the provider's interfaces are.
    public var baseURL: String?
    /// Further settings that the provider kind defines; never a secret.
    public var settings: [String: String]
    /// The credential that may administer clients; `nil` when none is needed or the record was read without values.
    public var adminCredential: SecretValue?
    /// Administrative calls a minute that the provider allows.
    public var callsPerMinute: Int?
    /// Set once the tenant lives in another vault.
    public var moved: Relocation?
    /// When it was added.
    public let createdAt: Timestamp

    private enum CodingKeys: String, CodingKey {
        case id, name, provider, region, baseURL, settings, callsPerMinute, moved, createdAt
    }

    /// A tenant of a provider kind.
    public init(id: UUIDv7, name: TenantName, provider: String, createdAt: Timestamp) {
        self.id = id
        self.name = name
        self.provider = provider
        self.createdAt = createdAt
        settings = [:]
    }

    /// The values by field: `admin`.
    public var secrets: [String: SecretValue] {
        get { adminCredential.map { ["admin": $0] } ?? [:] }
        set { adminCredential = newValue["admin"] }
    }
}

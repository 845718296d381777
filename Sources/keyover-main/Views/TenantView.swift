import KeyoverCore

/// A tenant as `--format json` shows it; never its credential.
struct TenantView: Encodable {
    let name: TenantName
    let provider: String
    let region: String?
    let baseURL: String?
    let settings: [String: String]
    let hasAdminCredential: Bool?
    let createdAt: Timestamp

    /// `showsCredential` only when the record was read with its values.
    init(_ record: TenantRecord, wasReadWithValues: Bool) {
        name = record.name
        provider = record.provider
        region = record.region
        baseURL = record.baseURL
        settings = record.settings
        hasAdminCredential = wasReadWithValues ? record.adminCredential != nil : nil
        createdAt = record.createdAt
    }
}

import KeyoverCore

/// One thing that an admin says about a client or a tenant, before and after.
struct FieldChange: Equatable {
    /// The key in an inventory, such as `token_url`.
    let key: String
    /// The word in the audit log, such as `tokenURL`.
    let auditKey: String
    let old: String?
    let new: String?

    /// The changes as particulars of an audit entry; what was taken back is an empty text.
    static func details(_ changes: [FieldChange]) -> [String: String] {
        Dictionary(changes.map { ($0.auditKey, $0.new ?? "") }) { first, _ in first }
    }

    /// The entries of two dictionaries that differ, ordered by key.
    fileprivate static func list(
        _ key: String, _ auditKey: String, _ old: [String: String], _ new: [String: String]
    ) -> [FieldChange] {
        Set(old.keys).union(new.keys).sorted().map { word in
            FieldChange(key: "\(key).\(word)", auditKey: "\(auditKey).\(word)", old: old[word], new: new[word])
        }
    }
}

extension Registration {
    /// What differs, besides the tenant.
    func changes(to next: Registration) -> [FieldChange] {
        func words(_ scopes: [String]) -> String? { scopes.isEmpty ? nil : scopes.joined(separator: " ") }
        func programs(_ targets: [DeliveryTarget]) -> String? {
            targets.isEmpty ? nil : targets.map { $0.arguments.joined(separator: " ") }.joined(separator: "; ")
        }
        let (old, new) = (self, next)
        let fields =
            [
                FieldChange(key: "token_url", auditKey: "tokenURL", old: old.tokenURL, new: new.tokenURL),
                FieldChange(key: "scopes", auditKey: "scopes", old: words(old.scopes), new: words(new.scopes)),
                FieldChange(
                    key: "auth", auditKey: "authentication", old: old.authentication.rawValue,
                    new: new.authentication.rawValue),
                FieldChange(key: "canary_url", auditKey: "canaryURL", old: old.canaryURL, new: new.canaryURL),
                FieldChange(key: "owner", auditKey: "owner", old: old.owner, new: new.owner),
                FieldChange(
                    key: "consumer_cache", auditKey: "consumerCache", old: old.consumerCache?.description,
                    new: new.consumerCache?.description),
                FieldChange(
                    key: "strategy", auditKey: "strategy", old: old.strategy?.description,
                    new: new.strategy?.description),
                FieldChange(
                    key: "deliver_commands", auditKey: "deliveries", old: programs(old.deliveries),
                    new: programs(new.deliveries)),
            ] + FieldChange.list("labels", "label", old.labels, new.labels)
        return fields.filter { $0.old != $0.new }
    }
}

extension TenantRecord {
    /// What differs, without the credential's value.
    func changes(to next: TenantRecord) -> [FieldChange] {
        var fields = [
            FieldChange(key: "region", auditKey: "region", old: region, new: next.region),
            FieldChange(key: "base_url", auditKey: "baseURL", old: baseURL, new: next.baseURL),
        ]
        if adminCredential != next.adminCredential {
            let old = adminCredential == nil ? nil : "held"
            fields.append(FieldChange(key: "admin_file", auditKey: "adminCredential", old: old, new: "replaced"))
        }
        return fields.filter { $0.old != $0.new }
            + FieldChange.list("settings", "setting", settings, next.settings).filter { $0.old != $0.new }
    }

    /// Where secrets of the tenant's clients, or its own, are sent.
    var destination: String? { baseURL ?? settings["token_url"] ?? region }
}

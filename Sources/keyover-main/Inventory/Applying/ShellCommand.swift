import KeyoverCore

/// Command lines that a person can copy to give what an inventory must not hold.
enum ShellCommand {
    /// `keyover tenant add` for a tenant that lacks its credential.
    static func adding(_ tenant: TenantRecord) -> String {
        var words = ["keyover", "tenant", "add", tenant.name.description, "--provider", tenant.provider]
        if let region = tenant.region { words += ["--region", region] }
        if let url = tenant.baseURL { words += ["--base-url", url] }
        for (key, value) in tenant.settings.sorted(by: { $0.key < $1.key }) { words += ["--set", "\(key)=\(value)"] }
        return line(words + ["--admin-stdin"])
    }

    /// `keyover client add` for a client that lacks its secret, with what its verification needs.
    static func adding(_ name: ClientName, _ tenant: TenantName, _ entry: ClientEntry) -> String {
        var words = ["keyover", "client", "add", name.description, "--tenant", tenant.description]
        words += ["--client-id", entry.clientID ?? "ID"]
        if let url = entry.tokenURL { words += ["--token-url", url] }
        for scope in entry.scopes { words += ["--scope", scope] }
        if entry.authentication == .post { words += ["--auth", "post"] }
        if let strategy = entry.strategy { words += ["--strategy", strategy.description] }
        return line(words + ["--secret-stdin"])
    }

    private static func line(_ words: [String]) -> String { words.map(\.shellQuoted).joined(separator: " ") }
}

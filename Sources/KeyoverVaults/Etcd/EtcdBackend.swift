public import KeyoverCore
public import KeyoverSealing

/// Vaults in an etcd cluster: `etcd:https://one:2379,https://two:2379,https://three:2379/keyover`.
public enum EtcdBackend: EntryBackend {
    /// `etcd`.
    public static let scheme = "etcd"

    /// Reads the URL and the files that it takes to connect; nothing is sent yet.
    public static func store(_ url: VaultURL, _ reach: VaultReach) async throws(VaultError) -> EtcdStore {
        try EtcdStore(url, reach)
    }

    /// A prefix below the one of a URL, within what its user may reach.
    public static func place(_ name: String, below url: VaultURL) throws(VaultError) -> VaultURL {
        let parsed = try EtcdURL(url)
        let parts = url.location.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var path = parts.first.map(String.init) ?? ""
        while path.hasSuffix("/") { path.removeLast() }
        if parsed.servers.last?.path.isEmpty == true { path += parsed.prefix }
        return VaultURL(scheme: scheme, location: "\(path)/\(name)" + (parts.count == 2 ? "?" + parts[1] : ""))
    }
}

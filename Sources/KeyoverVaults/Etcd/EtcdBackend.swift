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
}

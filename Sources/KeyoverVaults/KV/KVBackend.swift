public import KeyoverCore
public import KeyoverSealing

/// Vaults in HashiCorp Vault or OpenBao, in a KV engine of version 2: `kv:https://HOST:PORT/MOUNT/PREFIX`.
public enum KVBackend: EntryBackend {
    /// `kv`.
    public static let scheme = "kv"

    /// The entries under the prefix of a URL.
    public static func store(_ url: VaultURL, _ reach: VaultReach) async throws(VaultError) -> KVStore {
        try KVStore(url, reach)
    }
}

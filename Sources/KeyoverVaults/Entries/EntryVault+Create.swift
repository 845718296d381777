public import KeyoverCore
public import KeyoverSealing

extension EntryVault {
    /// Puts the key file of a new vault into a store that holds none; of several attempts at once exactly one succeeds.
    public static func create(in store: Store, _ creation: VaultCreation) async throws(VaultError) -> VaultPin {
        let keyring = creation.keyring ?? Keyring.generate(vaultID: FreshID.make())
        let file = KeyFile(keyring, for: try VaultAudience(of: creation.recipients))
        do throws(VaultError) {
            try await store.put(Entry(.keys, file.sealed(to: creation.recipients)), expecting: nil, while: nil)
        } catch {
            guard error.code == .conflict else { throw error }
            throw VaultError(
                .exists, "there is a vault at \(store.location) already; nothing was changed",
                remedy: "use it with keyover vault join, or name another place with --vault", underlying: error)
        }
        return VaultPin(keyring)
    }
}

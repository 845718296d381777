public import KeyoverCore
public import KeyoverSealing

extension FileVault {
    /// Makes an empty vault in a folder that does not exist or is empty; the answer is what configuration pins.
    ///
    /// All is made in a fresh folder beside it and then renamed, which the kernel does for exactly one of several
    /// attempts at once, and wholly or not at all.
    public static func create(
        at path: String, recipients: [any AgeRecipient], keyring: Keyring? = nil
    ) async throws(VaultError) -> VaultPin {
        try await Offloaded.run { () throws(VaultError) in
            let target = try VaultTarget(path)
            let keyring = keyring ?? Keyring.generate(vaultID: FreshID.make())
            do throws(VaultError) {
                let keyFile = KeyFile(keyring, for: try VaultAudience(of: recipients))
                try target.folder.create(
                    FileVaultSchema.keyFileName, SecretValue(copying: keyFile.sealed(to: recipients)))
                try target.fill { rows throws(VaultError) in try VaultWriter.initialize(rows, keyring) }
                try target.publish()
            } catch {
                target.discard()
                throw error
            }
            return VaultPin(keyring)
        }
    }
}

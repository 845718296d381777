import KeyoverCore
import KeyoverSealing

/// The two key files of a vault's folder, written together; the caller holds the folder's lock.
struct KeyFiles {
    let directory: PrivateDirectory
    let identities: [any AgeIdentity]

    /// Writes the key file, and before it the one for those who were granted metadata only.
    ///
    /// The key file says who belongs to the audience. So when a crash comes between the two, it still says that something
    /// is left to do, and the same command does it.
    func write(_ file: KeyFile) throws(VaultError) {
        if file.access.metadataOnly.isEmpty {
            try directory.remove(FileVaultSchema.metadataKeyFileName)
        } else {
            let granted = try file.metadataOnly.sealed(to: file.access.metadataRecipients)
            try put(granted, FileVaultSchema.metadataKeyFileName)
        }
        try put(file.sealed(to: file.access.recipients(knowing: identities)), FileVaultSchema.keyFileName)
    }

    private func put(_ file: [UInt8], _ name: String) throws(VaultError) {
        try directory.replace(name, SecretValue(copying: file))
    }
}

import KeyoverCore
import KeyoverSealing
import KeyoverVaults

/// Where the identity lies that opens the vault.
enum IdentityPlace: CustomStringConvertible {
    /// A file of identities.
    case file(String)
    /// A credential that a service was handed.
    case credential(directory: String, name: String)
    /// The keyring of the desktop session.
    case keyring(KeyringIdentities)

    /// The place that a setting names.
    init(_ setting: Setting) {
        if case .credential(let directory, let name) = setting.origin {
            self = .credential(directory: directory, name: name)
        } else if let keyring = KeyringIdentities(setting.value) {
            self = .keyring(keyring)
        } else {
            self = .file(FileSystem.absolute(setting.value))
        }
    }

    /// The place as configuration writes it.
    var description: String {
        switch self {
        case .file(let path): path
        case .credential(let directory, let name): "\(directory)/\(name)"
        case .keyring(let keyring): keyring.description
        }
    }

    /// All identities that lie there.
    func read() async throws -> [any AgeIdentity] {
        switch self {
        case .file(let path): try IdentityFile.read(path)
        case .credential(let directory, let name): try IdentityFile.readCredential(name, in: directory)
        case .keyring(let keyring): try await keyring.read()
        }
    }

    /// Refuses an identity that would lie beside the records that it opens: who gets the keyring would have both.
    func demandApart(from vault: VaultURL) throws(ConfigurationError) {
        guard case .keyring = self, vault.scheme == LibsecretBackend.scheme else { return }
        throw ConfigurationError(
            .invalidValue, "the vault \(vault) is in the keyring, and its identity must not lie beside it",
            remedy: "keep the identity in a file, or the vault: keyover init --vault file:/PATH --identity libsecret")
    }
}

import Glibc
import KeyoverCompliance
import KeyoverCore
import KeyoverEngine
import KeyoverOAuth
import KeyoverSealing
import KeyoverVaults

/// One invocation: its configuration and its terminal; opens what a command asks for, and no more.
struct Session: Sendable {
    let terminal: Terminal
    let loader: ConfigurationLoader
    private let loaded: Result<Settings, ConfigurationError>

    init(_ options: GlobalOptions, terminal: Terminal) {
        self.terminal = terminal
        let loader = ConfigurationLoader(environment: ProcessEnvironment.current())
        self.loader = loader
        loaded = Result { () throws(ConfigurationError) in try loader.load(options) }
    }

    /// The configuration; an error in it concerns only commands that need it.
    var settings: Settings { get throws(ConfigurationError) { try loaded.get() } }

    /// The URL of the vault, read.
    func vaultURL() throws(ConfigurationError) -> VaultURL {
        let settings = try settings
        guard let url = VaultURL(settings.vault) else {
            throw ConfigurationError(
                .invalidURL, "\(settings.vault.printable) is no vault URL", remedy: "write it as file:/PATH")
        }
        guard url.scheme == FileBackend.scheme, !url.location.hasPrefix("/") else { return url }
        return VaultURL(scheme: url.scheme, location: FileSystem.absolute(url.location))
    }

    /// The vault, opened with the configured identity and held to the pins.
    func openVault() async throws -> any Vault {
        let (url, settings) = (try vaultURL(), try settings)
        terminal.detail("opening \(url)")
        let access = VaultAccess(
            identities: try identities(), pin: try pin(), stateDirectory: settings.stateDirectory)
        do {
            return try await VaultRegistry.open(url, access)
        } catch {
            guard error.code == .missing, settings.files.isEmpty else { throw error }
            throw VaultError(
                .missing, "there is no vault at \(url), and no configuration", remedy: "run keyover init",
                underlying: error)
        }
    }

    /// The vault with everything that works on it.
    func openWorkspace() async throws -> Workspace {
        let settings = try settings
        return try await Workspace(
            vault: try await openVault(), http: try BoundedHTTP(caFile: settings.caFile),
            policies: try policies(settings), stateDirectory: settings.stateDirectory,
            claimTerm: try settings.claimTerm())
    }

    private func policies(_ settings: Settings) throws(PolicyError) -> PolicySet {
        guard let directory = settings.policies else { return PolicySet() }
        return try PolicyLoader().load(directory: directory)
    }

    /// The first source that is present decides, and its failure is final.
    private func identities() throws -> [any AgeIdentity] {
        let settings = try settings
        if let setting = settings[.identity] {
            if case .credential(let directory) = setting.origin {
                return try IdentityFile.readCredential(ConfigurationLoader.credentialName, in: directory)
            }
            return try IdentityFile.read(setting.value)
        }
        guard Confirmation.isPossible, !settings.files.isEmpty || settings[.vault] != nil else {
            throw VaultError(
                .locked, "no identity is configured to open the vault with",
                remedy: settings.files.isEmpty
                    ? "run keyover init, or give --identity FILE" : "give --identity FILE or set KEYOVER_IDENTITY_FILE")
        }
        let passphrase = try SecretInput(terminal: terminal).standardInput(asking: "Passphrase of the vault")
        return [try ScryptPassphrase(passphrase)]
    }

    private func pin() throws(ConfigurationError) -> VaultPin {
        let settings = try settings
        var pin = VaultPin(vaultID: nil, commitment: nil)
        if let text = settings.vaultID {
            guard let id = UUIDv7(text) else { throw invalid(.vaultID, "a UUID") }
            pin.vaultID = id
        }
        if let text = settings.keyCommitment {
            guard let bytes = Hex.decode(text), bytes.count == 32 else {
                throw invalid(.keyCommitment, "64 hexadecimal digits")
            }
            pin.commitment = bytes
        }
        return pin
    }

    private func invalid(_ key: SettingKey, _ wanted: String) -> ConfigurationError {
        let origin = (try? settings)?[key]?.origin ?? .standard
        return ConfigurationError(
            .invalidValue, "\(key.rawValue) is not \(wanted) (from \(origin))",
            remedy: "keyover vault status prints what it should be")
    }
}

import Glibc
import KeyoverCompliance
import KeyoverCore
import KeyoverEngine
import KeyoverOAuth
import KeyoverSealing
import KeyoverVaults
import Synchronization

/// One invocation: its configuration and its terminal; opens what a command asks for, and no more.
struct Session: Sendable {
    let terminal: Terminal
    let loader: ConfigurationLoader
    private let options: GlobalOptions
    private var loaded: Result<Settings, ConfigurationError>
    private var isSecondLook = false
    private var memory = PassphraseMemory()

    init(_ options: GlobalOptions, terminal: Terminal) {
        self.terminal = terminal
        self.options = options
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

    /// The same invocation with the configuration read again.
    ///
    /// - Parameter passphrase: Opens the vault from now on; it was chosen just now and is not asked for again.
    func reloaded(knowing passphrase: ScryptPassphrase? = nil) -> Session {
        var session = Session(options, terminal: terminal)
        session.memory = memory
        if let passphrase { memory.keep(passphrase) }
        return session
    }

    /// The same invocation with settings that a command was given as its own options.
    func overridden(by flags: [SettingKey: Setting]) -> Session {
        var session = self
        session.loaded = loaded.map { $0.overridden(by: flags) }
        return session
    }

    /// The same invocation with other settings in the place of some; `nil` takes one out.
    func replacing(_ changes: [SettingKey: Setting?]) -> Session {
        var session = self
        session.loaded = loaded.map { $0.replacing(changes) }
        return session
    }

    /// Runs what changes nothing, and runs it once more from the beginning when the vault is not trusted: while it is
    /// rekeyed or restored, what was read first and what was read last may not belong together.
    ///
    /// A client that has moved is looked for again for a moment, since this host's configuration follows the move.
    func lookingTwice<Result>(_ body: (Session) async throws -> Result) async throws -> Result {
        do {
            return try await body(self)
        } catch {
            guard !isSecondLook else { throw error }
            if (error as? RotationError)?.code == .moved {
                guard try await isRedirected() else { throw error }
            } else if (error as? VaultError)?.code != .notTrusted {
                throw error
            }
            var again = reloaded()
            again.isSecondLook = true
            return try await body(again)
        }
    }

    /// Waits for the configuration to name another vault than it did.
    private func isRedirected() async throws -> Bool {
        let here = try settings.vault
        for _ in 0..<SecretOutput.looksAfterMove {
            if try reloaded().settings.vault != here { return true }
            try await Task.sleep(for: .milliseconds(SecretOutput.pauseAfterMove))
        }
        return false
    }

    /// The vault, opened with the configured identity and held to the pins.
    func openVault(
        acceptingOlder acceptsOlder: Bool = false, acceptingStale acceptsStale: Bool = false
    ) async throws -> any Vault {
        try await lookingTwice { try await $0.openVaultOnce(acceptsOlder, acceptsStale) }
    }

    private func openVaultOnce(_ acceptsOlder: Bool, _ acceptsStale: Bool) async throws -> any Vault {
        let (url, settings) = (try vaultURL(), try settings)
        terminal.detail("opening \(url)")
        var access = VaultAccess(
            identities: try await identities(), pin: try pin(), stateDirectory: settings.stateDirectory,
            reach: try reach())
        access.acceptsOlder = acceptsOlder
        access.reach.acceptsStale = acceptsStale
        do {
            return try await VaultRegistry.open(url, access)
        } catch {
            guard error.code == .missing, settings.files.isEmpty else { throw error }
            throw VaultError(
                .missing, "there is no vault at \(url), and no configuration", remedy: "run keyover init",
                underlying: error)
        }
    }

    /// The vault, opened with identities that configuration does not know of yet.
    func openVault(knowing identities: [any AgeIdentity]) async throws -> any Vault {
        let access = VaultAccess(
            identities: identities, pin: try pin(), stateDirectory: try settings.stateDirectory, reach: try reach())
        return try await VaultRegistry.open(vaultURL(), access)
    }

    /// The vault with everything that works on it.
    func openWorkspace(acceptingOlder acceptsOlder: Bool = false) async throws -> Workspace {
        let settings = try settings
        return try await Workspace(
            vault: try await openVault(acceptingOlder: acceptsOlder), http: try BoundedHTTP(caFile: settings.caFile),
            policies: try policies(settings), stateDirectory: settings.stateDirectory, host: try settings.host(),
            claimTerm: try settings.claimTerm(), afterRotation: settings.afterRotation)
    }

    private func policies(_ settings: Settings) throws(PolicyError) -> PolicySet {
        guard let directory = settings.policies else { return PolicySet() }
        return try PolicyLoader().load(directory: directory)
    }

    /// The first source that is present decides, and its failure is final.
    func identities() async throws -> [any AgeIdentity] {
        if let known = memory.passphrase { return [known] }
        let settings = try settings
        if let place = settings.identity {
            try place.demandApart(from: vaultURL())
            return try await place.read()
        }
        guard Confirmation.isPossible, !settings.files.isEmpty || settings[.vault] != nil else {
            throw VaultError(
                .locked, "no identity is configured to open the vault with",
                remedy: settings.files.isEmpty
                    ? "run keyover init, or give --identity FILE" : "give --identity FILE or set KEYOVER_IDENTITY_FILE")
        }
        let typed = try SecretInput(terminal: terminal).standardInput(asking: "Passphrase of the vault")
        let passphrase = try ScryptPassphrase(typed)
        memory.keep(passphrase)
        return [passphrase]
    }

    /// How a vault on a server is reached.
    func reach() throws -> VaultReach {
        let settings = try settings
        var reach = VaultReach(
            user: settings[.vaultUser]?.value, caFile: settings.caFile, stateDirectory: settings.stateDirectory)
        reach.credential = try settings[.vaultCredential].map(credential)
        switch (settings[.vaultCertificate], settings[.vaultCertificateKey]) {
        case (let chain?, let key?): reach.certificate = (chain.value, key.value)
        case (nil, nil): break
        default:
            throw ConfigurationError(
                .invalidValue, "a certificate for the vault's server needs its private key, and a key its certificate",
                remedy: "set both vault_certificate and vault_certificate_key, or none")
        }
        return reach
    }

    /// The one line in a file, without its end.
    private func credential(_ setting: Setting) throws(VaultError) -> SecretValue {
        let text =
            if case .credential(let directory, let name) = setting.origin {
                try ServiceCredential.read(name, in: directory)
            } else {
                try PrivateFile.read(setting.value, limit: ServiceCredential.limit)
            }
        let line = text.withUnsafeSecretBytes { raw in
            SecretValue(copying: raw.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") })
        }
        guard !line.isEmpty else {
            throw VaultError(
                .locked, "\(setting.value) is empty, and the vault's server wants a credential",
                remedy: "write the password, token or secret id into it, and nothing else")
        }
        return line
    }

    /// What configuration says that the vault must be.
    func pin() throws(ConfigurationError) -> VaultPin {
        let settings = try settings
        var pin = VaultPin(vaultID: nil, commitment: nil)
        if let text = settings.vaultID {
            guard let id = UUIDv7(text) else { throw invalid(.vaultID, "a UUID") }
            pin.vaultID = id
        }
        if let text = settings.keyCommitment {
            guard let commitments = VaultPin.commitments(text) else {
                throw invalid(.keyCommitment, "64 hexadecimal digits")
            }
            pin.commitments = commitments
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

/// The passphrase that a person has typed in this invocation, so that it is asked for once.
private final class PassphraseMemory: Sendable {
    private let stored = Mutex<ScryptPassphrase?>(nil)

    var passphrase: ScryptPassphrase? { stored.withLock { $0 } }

    func keep(_ passphrase: ScryptPassphrase) {
        stored.withLock { $0 = passphrase }
    }
}

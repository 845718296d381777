import KeyoverCore
import KeyoverEngine
import KeyoverVaults

/// The keys of the configuration.
///
/// All are flat texts: the small front reads the same file with a few lines of code.
enum SettingKey: String, CaseIterable, Sendable {
    case vault
    case identity
    case vaultID = "vault_id"
    case keyCommitment = "key_commitment"
    case vaultUser = "vault_user"
    case vaultCredential = "vault_credential"
    case vaultCertificate = "vault_certificate"
    case vaultCertificateKey = "vault_certificate_key"
    case host
    case stateDirectory = "state_dir"
    case policies
    case caFile = "ca_file"
    case claimTerm = "claim_term"
    case afterRotation = "after_rotation"

    /// The environment variable that sets it.
    var environmentName: String {
        self == .identity ? "KEYOVER_IDENTITY_FILE" : "KEYOVER_" + rawValue.uppercased()
    }

    /// Whether the value is a path, which has to be absolute where it lies in a file.
    var isPath: Bool {
        switch self {
        case .identity, .vaultCredential, .vaultCertificate, .vaultCertificateKey, .stateDirectory, .policies, .caFile:
            true
        case .vault, .vaultID, .keyCommitment, .vaultUser, .host, .claimTerm, .afterRotation: false
        }
    }

    /// Whether this value is a path: an identity may lie in the keyring, too.
    func isPath(_ value: String) -> Bool { isPath && (self != .identity || KeyringIdentities(value) == nil) }
}

/// A value with the place it came from.
struct Setting: Sendable {
    /// Where a value came from, the strongest first.
    enum Origin: Sendable, CustomStringConvertible {
        case flag(String)
        case environment(String)
        case credential(directory: String, name: String)
        case file(String, line: Int)
        case standard

        var description: String {
            switch self {
            case .flag(let name): name
            case .environment(let name): "environment \(name)"
            case .credential: "CREDENTIALS_DIRECTORY"
            case .file(let path, let line): "\(path):\(line)"
            case .standard: "default"
            }
        }
    }

    let value: String
    let origin: Origin
}

/// The effective configuration of one invocation.
struct Settings: Sendable {
    private let values: [SettingKey: Setting]
    /// The files that were read, the strongest first.
    let files: [String]
    /// Where `init` writes the configuration.
    let ownFile: String
    /// The standard places of this user.
    let places: StandardPlaces

    init(_ values: [SettingKey: Setting], files: [String], ownFile: String, places: StandardPlaces) {
        self.values = values
        self.files = files
        self.ownFile = ownFile
        self.places = places
    }

    subscript(key: SettingKey) -> Setting? { values[key] }

    /// The same with settings that a command was given as its own options, which are the strongest.
    func overridden(by flags: [SettingKey: Setting]) -> Settings {
        Settings(values.merging(flags) { _, flag in flag }, files: files, ownFile: ownFile, places: places)
    }

    /// The same with other settings in the place of some; `nil` takes one out.
    func replacing(_ changes: [SettingKey: Setting?]) -> Settings {
        var values = values
        for (key, setting) in changes { values[key] = setting }
        return Settings(values, files: files, ownFile: ownFile, places: places)
    }

    /// The URL of the vault.
    var vault: String { values[.vault]?.value ?? "file:\(places.data)/vault" }
    /// Where the identity lies; `nil` where none is configured, and a passphrase is asked for.
    var identity: IdentityPlace? { values[.identity].map(IdentityPlace.init) }
    /// The id that the vault must have.
    var vaultID: String? { values[.vaultID]?.value }
    /// The commitment that the vault's keys must have.
    var keyCommitment: String? { values[.keyCommitment]?.value }
    /// Where this host keeps what is no secret and must not be lost: marks, locks, the audit log.
    var stateDirectory: String { values[.stateDirectory]?.value ?? places.state }
    /// The folder of policies; `nil` for the built-in policy.
    var policies: String? { values[.policies]?.value }
    /// Further certificate authorities to trust.
    var caFile: String? { values[.caFile]?.value }

    /// What this host is called in the audit log and in the vault.
    func host() throws(ConfigurationError) -> Name<HostRecord> {
        guard let setting = values[.host] else { return CurrentActor.hostName() }
        guard let name = Name<HostRecord>(setting.value) else {
            throw ConfigurationError(
                .invalidValue, "\(SettingKey.host.rawValue) is \(setting.value.printable) (from \(setting.origin))",
                remedy: "write a name of letters, digits, dots and hyphens")
        }
        return name
    }

    /// The command line that takes a backup after each change.
    var afterRotation: String? { values[.afterRotation]?.value }

    /// The bounds of ``claimTerm()``: a renewal must fit in, and a runner that was stopped is waited for so long.
    private static let claimTerms = TimeSpan.seconds(5)...TimeSpan.minutes(10)

    /// How long after storing a claim on a rotation a runner may write at the provider.
    func claimTerm() throws(ConfigurationError) -> TimeSpan {
        guard let setting = values[.claimTerm] else { return .seconds(30) }
        guard let term = TimeSpan(setting.value), Self.claimTerms.contains(term) else {
            throw ConfigurationError(
                .invalidValue,
                "\(SettingKey.claimTerm.rawValue) is \(setting.value.printable) (from \(setting.origin))",
                remedy: "write a time from \(Self.claimTerms.lowerBound) to \(Self.claimTerms.upperBound)")
        }
        return term
    }
}

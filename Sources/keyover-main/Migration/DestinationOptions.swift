import ArgumentParser
import KeyoverCore
import KeyoverSealing
import KeyoverVaults

/// Where a vault moves to, and how that place is reached.
///
/// Nothing of how the old place is reached is used for the new one: its password would be sent to another server.
struct DestinationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where the vault moves to, such as file:/srv/keyover/vault.", valueName: "url"))
    var to: String

    @Option(help: ArgumentHelp("The user of etcd, or the role id of AppRole, over there.", valueName: "name"))
    var toUser: String?

    @Option(
        help: ArgumentHelp(
            "The file with the password, the secret id or the token for over there; mode 0600.", valueName: "file"),
        completion: .file())
    var toCredential: String?

    @Option(
        help: ArgumentHelp("The certificate to show to the server over there, in PEM.", valueName: "file"),
        completion: .file())
    var toCertificate: String?

    @Option(help: ArgumentHelp("Its private key, in PEM.", valueName: "file"), completion: .file())
    var toCertificateKey: String?

    @Option(
        help: ArgumentHelp("Certificate authorities to trust besides the system's from now on.", valueName: "file"),
        completion: .file())
    var toCaFile: String?

    /// What configuration says once the vault is there, by setting; `nil` for what it says no longer.
    func settings(_ url: VaultURL) -> [SettingKey: Setting?] {
        func flag(_ value: String?, _ name: String) -> Setting? {
            value.map { Setting(value: name == "--to-user" ? $0 : FileSystem.absolute($0), origin: .flag(name)) }
        }
        var settings: [SettingKey: Setting?] = [
            .vault: Setting(value: url.description, origin: .flag("--to")),
            .vaultUser: flag(toUser, "--to-user"),
            .vaultCredential: flag(toCredential, "--to-credential"),
            .vaultCertificate: flag(toCertificate, "--to-certificate"),
            .vaultCertificateKey: flag(toCertificateKey, "--to-certificate-key"),
        ]
        if let authorities = flag(toCaFile, "--to-ca-file") { settings[.caFile] = .some(authorities) }
        return settings
    }

    /// The URL, with the backend known to exist.
    func url() throws -> VaultURL {
        guard let url = VaultURL(to) else {
            throw ConfigurationError(
                .invalidURL, "\(to.printable) is no vault URL", remedy: "write it as file:/PATH")
        }
        _ = try VaultRegistry.backend(of: url)
        guard url.scheme == FileBackend.scheme else { return url }
        var path = FileSystem.absolute(url.location)
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return VaultURL(scheme: url.scheme, location: path)
    }
}

import ArgumentParser
import KeyoverCore

/// How a vault on a server is reached; what is said here is remembered in the configuration that a command writes.
struct ReachOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The user of etcd, or the role id of AppRole.", valueName: "name"))
    var vaultUser: String?

    @Option(
        help: ArgumentHelp("The file with the password, the secret id or the token; mode 0600.", valueName: "file"),
        completion: .file())
    var vaultCredential: String?

    @Option(
        help: ArgumentHelp("The certificate to show to the server, in PEM.", valueName: "file"), completion: .file())
    var vaultCertificate: String?

    @Option(help: ArgumentHelp("Its private key, in PEM.", valueName: "file"), completion: .file())
    var vaultCertificateKey: String?

    @Option(
        help: ArgumentHelp("Certificate authorities to trust besides the system's, in PEM.", valueName: "file"),
        completion: .file())
    var caFile: String?

    /// What was said, by setting.
    var settings: [SettingKey: Setting] {
        let said: [(SettingKey, String?)] = [
            (.vaultUser, vaultUser), (.vaultCredential, vaultCredential), (.vaultCertificate, vaultCertificate),
            (.vaultCertificateKey, vaultCertificateKey), (.caFile, caFile),
        ]
        return said.reduce(into: [:]) { settings, option in
            let (key, value) = option
            let flag = "--" + key.rawValue.replacing("_", with: "-")
            if let value { settings[key] = Setting(value: value, origin: .flag(flag)) }
        }
    }
}

import KeyoverCore
import KeyoverSealing

/// The text of a new configuration file.
struct ConfigurationText {
    let vault: String
    let identity: String?
    let pin: VaultPin

    /// The text; what else this invocation was told is remembered in it.
    func encoded(_ settings: Settings) -> String {
        var lines = [
            "# Keyover's configuration; keyover config shows what is in force. No secret lies here.",
            "vault: \(Self.quoted(vault))",
        ]
        if let identity { lines.append("identity: \(Self.quoted(identity))") }
        lines += [
            "# The vault is refused when it is not this one.",
            "vault_id: \(pin.vaultID?.description ?? "")",
            "key_commitment: \(Self.quoted(pin.commitmentText))",
        ]
        let others: [SettingKey] = [
            .vaultUser, .vaultCredential, .vaultCertificate, .vaultCertificateKey, .host, .stateDirectory, .policies,
            .caFile,
        ]
        for key in others {
            guard let setting = settings[key] else { continue }
            let value = key.isPath ? FileSystem.absolute(setting.value) : setting.value
            lines.append("\(key.rawValue): \(Self.quoted(value))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Writes the file where this user's configuration belongs; nothing is overwritten.
    func write(_ settings: Settings) throws {
        let path = FileSystem.absolute(settings.ownFile)
        try FileSystem.makeDirectory(FileSystem.parent(of: path))
        try FileSystem.create(path, encoded(settings))
    }

    /// Plain where YAML and a reader of single lines agree on it, else quoted as both understand it.
    static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            (48...58).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || [UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains(byte)
        }
        // A colon at the end would make a key of it.
        return isPlain && text.utf8.last != UInt8(ascii: ":") ? text : "'" + text.replacing("'", with: "''") + "'"
    }
}

extension Settings {
    /// Refuses to go on where there is a configuration of this user already.
    func demandNoConfiguration() throws(ConfigurationError) {
        guard FileSystem.exists(ownFile) else { return }
        throw ConfigurationError(
            .invalidValue, "there is a configuration at \(ownFile) already; nothing was changed",
            remedy: "look at it with keyover config, or give another one with --config FILE")
    }
}

import Glibc
import KeyoverCore
import KeyoverSealing

/// Changes one setting in a configuration file and leaves everything else in it as it is.
struct ConfigurationEditor {
    let path: String

    /// The file that sets a key, when it is one that this user can edit; `nil` when the key is not set at all.
    ///
    /// - Throws: `ConfigurationError` when the value comes from a place that cannot be edited, such as the environment.
    static func editing(_ key: SettingKey, of settings: Settings) throws(ConfigurationError) -> ConfigurationEditor? {
        guard let setting = settings[key] else { return nil }
        guard case .file(let path, _) = setting.origin, access(path, W_OK) == 0 else {
            throw ConfigurationError(
                .invalidValue, "\(key.rawValue) has to change and comes from \(setting.origin), which cannot be edited",
                remedy: "take \(key.rawValue) out of there, or move it to a config.yaml that you can write")
        }
        return ConfigurationEditor(path: FileSystem.absolute(path))
    }

    /// Writes the value into the line of the key, or adds the line; the file is replaced whole or not at all.
    func set(_ key: SettingKey, to value: String) throws(VaultError) {
        try rewrite { lines in
            let line = "\(key.rawValue): '\(value.replacing("'", with: "''"))'"
            if let index = lines.firstIndex(where: { $0.hasPrefix("\(key.rawValue):") }) {
                lines[index] = line
            } else {
                lines.append(line)
            }
        }
    }

    /// Takes the line of the key out, if there is one.
    func remove(_ key: SettingKey) throws(VaultError) {
        try rewrite { lines in lines.removeAll { $0.hasPrefix("\(key.rawValue):") } }
    }

    private func rewrite(_ change: (inout [String]) -> Void) throws(VaultError) {
        let directory = try PrivateDirectory(FileSystem.parent(of: path), rule: .ownerWrites)
        let name = String(path[(path.lastIndex(of: "/") ?? path.startIndex)...].dropFirst())
        let old = try PrivateFile.read(path, limit: 64 << 10, rule: .ownerWrites)
            .withUnsafeSecretBytes { String(decoding: $0, as: UTF8.self) }
        var lines = old.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        change(&lines)
        let new = lines.joined(separator: "\n") + "\n"
        if new != old { try directory.replace(name, SecretValue(copying: new.utf8)) }
    }
}

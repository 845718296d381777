import Glibc
import KeyoverCore
import KeyoverSealing

/// Changes one setting in a configuration file and leaves everything else in it as it is.
///
/// The file is replaced whole or not at all, keeps its mode and group, and is only replaced by one that says the same
/// but for that setting. Several editors at once wait for each other.
struct ConfigurationEditor {
    private static let limit = 64 << 10

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
        let editor = ConfigurationEditor(path: FileSystem.absolute(path))
        try editor.demandEditable(key)
        return editor
    }

    /// Refuses a file in which the key could not be changed, before anything else has been.
    ///
    /// What an editor that was killed has left beside it goes away.
    func demandEditable(_ key: SettingKey, to value: String? = nil) throws(ConfigurationError) {
        do throws(VaultError) {
            let folder = try folder()
            let lock = try folder.lock(patience: .seconds(5))
            defer { withExtendedLifetime(lock) {} }
            _ = try edited(read(), key) { value ?? $0 }
            try folder.remove(name + ".new")
        } catch {
            throw ConfigurationError(.unwritable, error.message, remedy: error.remedy, underlying: error)
        }
        guard access(FileSystem.parent(of: path), W_OK) == 0 else {
            throw ConfigurationError(
                .unwritable, "\(key.rawValue) has to change, and \(path) cannot be replaced",
                remedy: "check who may write into \(FileSystem.parent(of: path))")
        }
    }

    /// Writes the value into the line of the key, or adds the line.
    func set(_ key: SettingKey, to value: String) throws(VaultError) {
        try change(key) { _ in value }
    }

    /// Takes the line of the key out, if there is one.
    func remove(_ key: SettingKey) throws(VaultError) {
        try change(key) { _ in nil }
    }

    /// Lets the value that the key has at this moment become another one.
    func change(_ key: SettingKey, _ value: (String?) -> String?) throws(VaultError) {
        try replace { old throws(VaultError) in try edited(old, key, value) }
    }

    /// Writes all values at once, and takes the lines out of those that are `nil`: a reader finds all old or all new.
    func set(_ values: [SettingKey: String?]) throws(VaultError) {
        try replace { old throws(VaultError) in
            var text = old
            for key in SettingKey.allCases {
                guard let value = values[key] else { continue }
                text = try edited(text, key) { _ in value }
            }
            return text
        }
    }

    private func replace(_ edit: (String) throws(VaultError) -> String) throws(VaultError) {
        let folder = try folder()
        let lock = try folder.lock(patience: .seconds(5))
        defer { withExtendedLifetime(lock) {} }
        let old = try read()
        let new = try edit(old)
        guard new != old else { return }
        try folder.replace(name, SecretValue(copying: new.utf8), keepingAccess: true)
    }

    private var name: String { String(path[(path.lastIndex(of: "/") ?? path.startIndex)...].dropFirst()) }

    private func folder() throws(VaultError) -> PrivateDirectory {
        try PrivateDirectory(FileSystem.parent(of: path), rule: .ownerWrites)
    }

    private func read() throws(VaultError) -> String {
        try PrivateFile.read(path, limit: Self.limit, rule: .ownerWrites)
            .withUnsafeSecretBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// The text with another value; refused where it would not say exactly that.
    private func edited(_ text: String, _ key: SettingKey, _ value: (String?) -> String?) throws(VaultError) -> String {
        let before = try settings(text)
        let new = value(before[key]?.value)
        var lines = text.utf8.split(separator: 10, omittingEmptySubsequences: false).map { String(Substring($0)) }
        if lines.last == "" { lines.removeLast() }
        let end = lines.last?.utf8.last == 13 ? "\r" : ""
        let line = new.map { "\(key.rawValue): \(ConfigurationText.quoted($0))\(end)" }
        if case .file(_, let number)? = before[key]?.origin, lines.indices.contains(number - 1) {
            lines.replaceSubrange(number - 1..<number, with: line.map { [$0] } ?? [])
        } else if let line {
            lines.append(line)
        }
        let result = lines.map { $0 + "\n" }.joined()
        var wanted = before.mapValues(\.value)
        wanted[key] = new
        guard let after = try? settings(result), after.mapValues(\.value) == wanted else {
            throw VaultError(
                .invalid, "\(key.rawValue) cannot be changed in \(path) without harm to the rest of it",
                remedy: "write every setting there on a line of its own, as in \(key.rawValue): VALUE")
        }
        return result
    }

    private func settings(_ text: String) throws(VaultError) -> [SettingKey: Setting] {
        do throws(ConfigurationError) {
            return try ConfigurationFile(path: path, text: text).settings
        } catch {
            throw VaultError(.invalid, error.message, remedy: error.remedy, underlying: error)
        }
    }
}

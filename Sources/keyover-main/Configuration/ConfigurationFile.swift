import Glibc
import KeyoverCompliance
import KeyoverCore

/// A configuration file: flat lines `key: value`.
struct ConfigurationFile {
    private static let limit = 64 << 10

    let path: String
    let settings: [SettingKey: Setting]

    /// Reads a file; `nil` when there is none.
    init?(path: String) throws(ConfigurationError) {
        guard let text = try Self.read(path) else { return nil }
        try self.init(path: path, text: text)
    }

    /// Reads the text of a file.
    init(path: String, text: String) throws(ConfigurationError) {
        let mapping: YAMLMapping
        do {
            mapping = try YAMLMapping(parsing: text)
        } catch {
            throw ConfigurationError(
                .unreadable, "\(path):\(error.place): \(error.message)", remedy: "correct the line")
        }
        var settings: [SettingKey: Setting] = [:]
        for entry in mapping.entries {
            guard let key = SettingKey(rawValue: entry.key) else {
                throw ConfigurationError(
                    .unknownKey, "\(path):\(entry.place.line): there is no setting \(entry.key.printable)",
                    remedy: "use one of: \(SettingKey.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            guard case .text(let value) = entry.value, !value.isEmpty else {
                throw ConfigurationError(
                    .invalidValue, "\(path):\(entry.place.line): \(key.rawValue) takes one text",
                    remedy: "write \(key.rawValue): VALUE, or leave the line out")
            }
            if key.isPath(value), !value.hasPrefix("/") {
                throw ConfigurationError(
                    .invalidValue, "\(path):\(entry.place.line): \(key.rawValue) takes an absolute path",
                    remedy: "begin the path with a slash")
            }
            settings[key] = Setting(value: value, origin: .file(path, line: entry.place.line))
        }
        self.path = path
        self.settings = settings
    }

    private static func read(_ path: String) throws(ConfigurationError) -> String? {
        func unreadable(_ why: String, _ remedy: String) -> ConfigurationError {
            ConfigurationError(.unreadable, "the configuration \(path) cannot be read: \(why)", remedy: remedy)
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw unreadable(String(cString: strerror(errno)), "check who may read the file")
        }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            throw unreadable("it is no file", "name a file with --config")
        }
        // Who can write it decides which vault and which certificate authorities are trusted, and which programs run.
        guard information.st_uid == 0 || information.st_uid == geteuid() else {
            throw unreadable(
                "it belongs to uid \(information.st_uid), and this process runs as \(geteuid())",
                "run the command as its owner, or name a file of your own with --config")
        }
        guard information.st_mode & 0o022 == 0 else {
            throw unreadable("others may change it", "run chmod go-w \(path)")
        }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        let count: Int
        do {
            count = try bytes.withUnsafeMutableBytes { try StandardInput.fill($0, from: descriptor) }
        } catch {
            throw unreadable(String(describing: error), "check the file")
        }
        guard count <= limit else { throw unreadable("it is longer than \(limit) bytes", "shorten it") }
        guard let text = String(validating: bytes[..<count], as: UTF8.self) else {
            throw unreadable("it is not UTF-8", "write it anew")
        }
        return text
    }
}

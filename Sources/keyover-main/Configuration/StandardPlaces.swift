import Glibc
import KeyoverCore

/// Where a user's files lie, by the XDG base directory specification.
struct StandardPlaces: Sendable {
    /// Below `$XDG_CONFIG_HOME`.
    let configuration: String
    /// Below `$XDG_DATA_HOME`.
    let data: String
    /// Below `$XDG_STATE_HOME`.
    let state: String

    /// The places by the environment; a relative path in it is ignored, as the specification says.
    init(environment: [String: String]) throws(ConfigurationError) {
        let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        func place(_ variable: String, _ fallback: String) throws(ConfigurationError) -> String {
            if let set = environment[variable], set.hasPrefix("/") { return set + "/keyover" }
            guard let home else {
                throw ConfigurationError(
                    .unreadable, "neither HOME nor \(variable) says where Keyover's files lie",
                    remedy: "set HOME, or give --config with a file that names vault, identity and state_dir")
            }
            return home + fallback + "/keyover"
        }
        configuration = try place("XDG_CONFIG_HOME", "/.config")
        data = try place("XDG_DATA_HOME", "/.local/share")
        state = try place("XDG_STATE_HOME", "/.local/state")
    }
}

/// The environment of this process.
enum ProcessEnvironment {
    /// All variables; of one set twice the first counts, as for `getenv`.
    static func current() -> [String: String] {
        var result: [String: String] = [:]
        var cursor = environ
        while let entry = cursor.pointee {
            let text = String(cString: entry)
            if let separator = text.firstIndex(of: "=") {
                let name = String(text[..<separator])
                if result[name] == nil { result[name] = String(text[text.index(after: separator)...]) }
            }
            cursor += 1
        }
        return result
    }
}

import Glibc

/// The variables of this process that the front understands.
struct Environment {
    private static let understood: Set<String> = [
        "HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "CREDENTIALS_DIRECTORY", "KEYOVER_VAULT",
        "KEYOVER_IDENTITY_FILE", "KEYOVER_VAULT_ID", "KEYOVER_KEY_COMMITMENT", "KEYOVER_STATE_DIR",
        "KEYOVER_VAULT_USER", "KEYOVER_VAULT_CREDENTIAL", "KEYOVER_VAULT_CERTIFICATE",
        "KEYOVER_VAULT_CERTIFICATE_KEY", "KEYOVER_HOST", "KEYOVER_POLICIES", "KEYOVER_CA_FILE", "KEYOVER_CLAIM_TERM",
        "KEYOVER_AFTER_ROTATION",
    ]

    private var values: [String: String] = [:]
    /// Whether there is a variable of Keyover's that the front does not understand, such as `KEYOVER_CONFIG`.
    private(set) var isSurprising = false

    /// The value of a variable, unless it is empty.
    subscript(name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// The variable as an absolute path with a folder below it; the XDG specification has relative ones ignored.
    func place(_ variable: String, orBelowHome fallback: String) -> String? {
        if let set = self[variable], set.hasPrefix("/") { return set + "/keyover" }
        guard let home = self["HOME"], home.hasPrefix("/") else { return nil }
        return home + fallback + "/keyover"
    }

    static func current() -> Environment {
        var result = Environment()
        var cursor = environ
        while let entry = cursor.pointee {
            cursor += 1
            guard let separator = strchr(entry, Int32(UInt8(ascii: "="))) else { continue }
            let length = separator - entry
            // Most of an environment is none of Keyover's business and is not worth a string.
            guard length < 32 else { continue }
            let name = String(decoding: UnsafeRawBufferPointer(start: entry, count: length), as: UTF8.self)
            if understood.contains(name) {
                if result.values[name] == nil { result.values[name] = String(cString: separator + 1) }
            } else if name.hasPrefix("KEYOVER_") {
                result.isSurprising = true
            }
        }
        return result
    }
}

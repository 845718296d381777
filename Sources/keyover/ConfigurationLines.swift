import Glibc

/// The part of a configuration file that the front reads: top-level lines `key: value` with a plain or quoted scalar.
///
/// `keyover-main` reads the same file as YAML. Where the two could read it differently, or where it is not as it should
/// be, the front reads nothing: the initialiser answers `.notUnderstood`.
enum ConfigurationLines {
    case absent
    case notUnderstood
    case values([String: String])

    private static let limit = 64 << 10
    private static let knownKeys: Set<Substring> = [
        "vault", "identity", "vault_id", "key_commitment", "vault_user", "vault_credential", "vault_certificate",
        "vault_certificate_key", "host", "state_dir", "policies", "ca_file", "claim_term", "after_rotation",
    ]
    private static let pathKeys: Set<Substring> = [
        "identity", "vault_credential", "vault_certificate", "vault_certificate_key", "state_dir", "policies",
        "ca_file",
    ]

    /// Reads a file; one that others may change is not understood.
    init(path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            self = errno == ENOENT || errno == ENOTDIR ? .absent : .notUnderstood
            return
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o022 == 0,
            status.st_uid == 0 || status.st_uid == geteuid(), status.st_size <= Self.limit
        else {
            self = .notUnderstood
            return
        }
        var bytes = [UInt8](repeating: 0, count: Self.limit + 1)
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
            }
            if count == 0 { break }
            guard count > 0 else {
                self = .notUnderstood
                return
            }
            filled += count
        }
        self.init(text: bytes[..<filled])
    }

    /// Reads the text of a file.
    init(text: ArraySlice<UInt8>) {
        // ASCII only: YAML knows line ends and blanks beyond it.
        guard text.count <= Self.limit, text.allSatisfy({ $0 == 10 || (32...126).contains($0) }) else {
            self = .notUnderstood
            return
        }
        var values: [String: String] = [:]
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            if line.first == "#" || line.allSatisfy({ $0 == " " }) { continue }
            guard let colon = line.firstIndex(of: ":"), Self.knownKeys.contains(line[..<colon]),
                let value = Self.scalar(line[line.index(after: colon)...]),
                !Self.pathKeys.contains(line[..<colon]) || value.hasPrefix("/"),
                values.updateValue(value, forKey: String(line[..<colon])) == nil
            else {
                self = .notUnderstood
                return
            }
        }
        self = .values(values)
    }

    /// What follows the colon, when it is one scalar that means itself.
    private static func scalar(_ text: Substring) -> String? {
        guard text.first == " " else { return nil }
        var text = text.drop { $0 == " " }
        if let quote = text.first, quote == "\"" || quote == "'" {
            guard let end = text.dropFirst().firstIndex(of: quote) else { return nil }
            let (value, after) = (text[text.index(after: text.startIndex)..<end], text[text.index(after: end)...])
            let rest = after.drop { $0 == " " }
            guard rest.isEmpty || (rest.first == "#" && after.first == " "), !value.isEmpty, !value.contains("\\")
            else { return nil }
            return String(value)
        }
        if let comment = text.firstIndex(of: "#"), comment > text.startIndex, text[text.index(before: comment)] == " " {
            text = text[..<comment]
        }
        while text.last == " " { text.removeLast() }
        let plain = text.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "/._-+@:".utf8.contains(byte)
        }
        guard plain, let first = text.utf8.first, first == 47 || !"-:@".utf8.contains(first), text.last != ":" else {
            return nil
        }
        return String(text)
    }
}

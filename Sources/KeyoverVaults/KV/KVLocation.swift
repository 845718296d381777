import KeyoverCore
import KeyoverSealing

/// Where a vault lies in a server with the API of HashiCorp Vault: `kv:https://HOST:PORT/MOUNT/PREFIX`.
///
/// The first segment of the path is the mount of the secrets engine. A mount of several segments is named besides, as
/// `?mount=team/kv`, and the path begins with it. `?namespace=NAME` goes into `X-Vault-Namespace`, and `?auth=PATH` says
/// where AppRole is mounted when that is not `approle`.
struct KVLocation: Sendable {
    /// The URL as it was given.
    let url: VaultURL
    /// The server.
    let server: ServerURL
    /// Where the secrets engine is mounted, such as `secret`.
    let mount: String
    /// What all entries of the vault lie under; empty for the whole mount.
    let prefix: String
    /// The namespace, where the server has such.
    let namespace: String?
    /// Where AppRole is mounted.
    let authMount: String

    /// What an entry is reached through.
    enum Door: String {
        /// Reads and stores the newest version.
        case data
        /// Tells and lists what there is.
        case metadata
        /// Destroys versions.
        case destroy
    }

    /// The place in a URL.
    init(_ url: VaultURL) throws(VaultError) {
        let server = try ServerURL(url.location)
        if let unknown = server.query.keys.first(where: { !["mount", "namespace", "auth"].contains($0) }) {
            throw Self.invalid(
                "the URL of \(server.host) has the setting \(unknown.prefix(40)), which kv does not know")
        }
        let segments = try Self.segments(server.path.dropFirst(), server)
        guard let first = segments.first else { throw Self.invalid("the URL of \(server.host) names no mount") }
        let mount = try Self.setting("mount", server) ?? [first]
        guard segments.starts(with: mount) else {
            throw Self.invalid("the path in the URL of \(server.host) does not begin with the mount that ?mount= names")
        }
        self.url = url
        self.server = server
        self.mount = mount.joined(separator: "/")
        prefix = segments.dropFirst(mount.count).joined(separator: "/")
        namespace = try Self.setting("namespace", server)?.joined(separator: "/")
        authMount = try Self.setting("auth", server)?.joined(separator: "/") ?? "approle"
    }

    private static func setting(_ key: String, _ server: ServerURL) throws(VaultError) -> [String]? {
        guard let text = server.query[key] else { return nil }
        let segments = try segments(text, server)
        guard !segments.isEmpty else { throw invalid("?\(key)= in the URL of \(server.host) is empty") }
        return segments
    }

    /// The path of an entry as policies name it, such as `secret/data/keyover/prod/clients/billing-sync`.
    func path(_ door: Door, _ entry: String) -> String {
        ([mount, door.rawValue] + (prefix.isEmpty ? [] : [prefix]) + [entry]).joined(separator: "/")
    }

    /// The path of an entry as `bao kv` takes it beside `-mount`.
    func entryPath(_ entry: String) -> String { prefix.isEmpty ? entry : "\(prefix)/\(entry)" }

    /// The path that a policy has to name for all entries of the vault.
    func policyPath(_ door: Door) -> String { path(door, "*") }

    /// What stands in a request for a path of the API; what comes from a list of the server's is encoded like all else.
    static func target(_ path: String) -> String {
        var target = "/v1/"
        for byte in path.utf8 {
            if isPlain(byte) || byte == UInt8(ascii: "/") {
                target.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                target += "%" + Hex.encode([byte])
            }
        }
        return target
    }

    private static func segments(
        _ text: some StringProtocol, _ server: ServerURL
    ) throws(VaultError) -> [String] {
        let text = text.hasSuffix("/") ? String(text.dropLast()) : String(text)
        guard !text.isEmpty else { return [] }
        let segments = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard segments.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isPlain) && $0 != "." && !$0.contains("..") })
        else {
            throw invalid(
                "the URL of \(server.host) has a path of other than letters, digits, dot, hyphen and underscore")
        }
        return segments
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45 || byte == 46
            || byte == 95
    }

    private static func invalid(_ message: String) -> VaultError {
        VaultError(
            .invalid, message,
            remedy: "write it as kv:https://HOST:PORT/MOUNT/PREFIX, with ?namespace=, ?mount= or ?auth=")
    }
}

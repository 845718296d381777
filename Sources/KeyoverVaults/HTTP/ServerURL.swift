import KeyoverCore

/// The URL of a server that keeps a vault: checked once, so that everything after it can rely on the rules.
///
/// - `https`; plain `http` only for a literal loopback address (127.0.0.0/8 or `[::1]`). The name `localhost` is no literal
///   address: what it resolves to is up to somebody else.
/// - No user information, no fragment, nothing but ASCII, so that no two programs read the URL differently.
struct ServerURL: Hashable, Sendable, CustomStringConvertible {
    /// The longest URL.
    static let limit = 2048

    /// Whether the connection has TLS.
    let isSecure: Bool
    /// The host in lower case; an IPv6 address stands in brackets.
    let host: String
    /// The port, also where the URL left it out.
    let port: Int
    /// The path as written, without slashes at its end; empty for none.
    let path: String
    /// The values of the query by their keys, percent-decoded.
    let query: [String: String]

    /// The checked URL; the error never repeats more of the text than its host, for the rest may hold a password.
    init(_ text: some StringProtocol) throws(VaultError) {
        guard text.utf8.count <= Self.limit, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Self.invalid(
                "the URL of a vault's server has white space, other than ASCII characters, or too many of them")
        }
        let text = String(text)
        let (isSecure, rest) = try Self.withoutScheme(text)
        let authority = rest.prefix { !"/?#\\".contains($0) }
        guard !authority.contains("@") else {
            throw VaultError(
                .invalid, "the URL of a vault's server has user information before its host",
                remedy: "take out what stands before @, and set vault_user and vault_credential")
        }
        let place = try Self.hostAndPort(authority, isSecure: isSecure)
        (host, port) = (place.host, place.port)
        let target = rest[authority.endIndex...]
        guard !target.contains("#"), !target.contains("\\") else {
            throw Self.invalid("the URL of \(host) has a fragment or a backslash")
        }
        if !isSecure, place.address?.isLoopback != true {
            throw Self.invalid("the URL of \(host) has plain http, which would show the vault's server to everybody")
        }
        self.isSecure = isSecure
        let path = target.prefix { $0 != "?" }
        let end = path.lastIndex { $0 != "/" }.map(path.index(after:)) ?? path.startIndex
        self.path = String(path[..<end])
        query = try Self.query(target.dropFirst(path.count + 1), of: host)
    }

    /// Scheme, host and port.
    var origin: String { "\(isSecure ? "https" : "http")://\(authority)" }
    /// Host and port, for messages.
    var authority: String { "\(host):\(port)" }
    /// The URL without its query.
    var description: String { origin + path }

    private static func withoutScheme(_ text: String) throws(VaultError) -> (isSecure: Bool, rest: Substring) {
        for (scheme, isSecure) in [("https://", true), ("http://", false)]
        where text.lowercased().hasPrefix(scheme) {
            return (isSecure, text.dropFirst(scheme.count))
        }
        throw invalid("the URL of a vault's server does not begin with https://")
    }

    private static func invalid(_ message: String) -> VaultError {
        VaultError(.invalid, message, remedy: "give https://HOST:PORT")
    }

    private static func hostAndPort(
        _ authority: Substring, isSecure: Bool
    ) throws(VaultError) -> HostAndPort {
        do throws(HostAndPort.Fault) {
            return try HostAndPort(authority, defaultPort: isSecure ? 443 : 80)
        } catch {
            switch error {
            case .host: throw invalid("the URL of a vault's server has no valid host")
            case .port(let host): throw invalid("the URL of \(host) has no valid port")
            }
        }
    }

    private static func query(_ text: Substring, of host: String) throws(VaultError) -> [String: String] {
        var values: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let key = decoded(parts[0]), let value = decoded(parts[1]), values[key] == nil
            else {
                throw VaultError(
                    .invalid, "the query in the URL of \(host) is not a list of different settings",
                    remedy: "write it as ?KEY=VALUE&OTHER=VALUE")
            }
            values[key] = value
        }
        return values
    }

    /// Text without percent signs; `nil` when it is not well encoded.
    static func decoded(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = Substring(text)[...]
        while let character = rest.popFirst() {
            guard character == "%" else {
                bytes += Array(String(character).utf8)
                continue
            }
            guard let byte = Hex.decode(String(rest.prefix(2))), byte.count == 1 else { return nil }
            bytes += byte
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

public import KeyoverCore

/// The URL of an endpoint that may be sent a secret: checked once, so that everything after it can rely on the rules.
///
/// - `https` only; plain `http` only for a literal loopback address (127.0.0.0/8 or `[::1]`) and only where the caller
///   allows it. The name `localhost` is no literal address: what it resolves to is up to somebody else.
/// - No user information, no fragment, nothing but ASCII, so that no two programs read the URL differently.
/// - No link-local, metadata, multicast or unspecified address. A name that resolves to one is refused when the connection
///   stands, before the request leaves (``BoundedHTTP``).
///
/// Two URLs that mean the same endpoint are equal.
public struct EndpointURL: Hashable, Sendable, CustomStringConvertible {
    /// The two schemes that an endpoint can have.
    public enum Scheme: String, Sendable {
        /// With TLS.
        case https
        /// Without, on loopback.
        case http
    }

    /// The scheme.
    public let scheme: Scheme
    /// The host in lower case; an IPv6 address stands in brackets.
    public let host: String
    /// The port, also where the URL left it out.
    public let port: Int
    /// Path and query, beginning with a slash.
    public let target: String

    /// The checked URL; the error never repeats more of the text than its host, for the rest may hold a password.
    public init(_ text: String, allowsLoopbackHTTP: Bool = false) throws(ConfigurationError) {
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Self.invalid("the URL has white space, other than ASCII characters, or more than 2048 of them")
        }
        guard let colon = text.firstRange(of: "://"),
            let scheme = Scheme(rawValue: text[..<colon.lowerBound].lowercased())
        else {
            throw Self.invalid("the URL does not begin with https://")
        }
        let rest = text[colon.upperBound...]
        let authority = rest.prefix { !"/?#\\".contains($0) }
        guard !authority.contains("@") else {
            throw Self.invalid("the URL has user information before its host", remedy: "take out what stands before @")
        }
        let place = try Self.hostAndPort(authority, scheme: scheme)
        let host = place.host
        let target = rest[authority.endIndex...]
        guard !target.contains("#") else { throw Self.invalid("the URL of \(host) has a fragment") }
        guard Self.isWellEncoded(target) else {
            throw Self.invalid("the URL of \(host) has characters that must be percent-encoded")
        }
        if let objection = place.address?.objection {
            throw Self.invalid("\(host) is \(objection)", remedy: "name the host of the authorization server")
        }
        if scheme == .http, !(allowsLoopbackHTTP && place.address?.isLoopback == true) {
            throw Self.invalid(
                "the URL of \(host) has plain http, which would show the secret to everybody on the way")
        }
        self.scheme = scheme
        self.host = host
        port = place.port
        self.target = target.first == "/" ? String(target) : "/" + target
    }

    /// Whether no character needs to be percent-encoded, and each percent sign begins an encoded one.
    private static func isWellEncoded(_ target: Substring) -> Bool {
        let forbidden = Set("\"<>[]\\^`{|}".utf8)
        let isEncoded = target.utf8.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false)
            .dropFirst().allSatisfy { Hex.decode(String($0.prefix(2)) ?? "")?.count == 1 }
        return isEncoded && !target.utf8.contains(where: forbidden.contains)
    }

    private static func invalid(_ message: String, remedy: String = "give an https URL") -> ConfigurationError {
        ConfigurationError(.invalidURL, message, remedy: remedy)
    }

    private static func hostAndPort(
        _ authority: Substring, scheme: Scheme
    ) throws(ConfigurationError) -> HostAndPort {
        do throws(HostAndPort.Fault) {
            return try HostAndPort(authority, defaultPort: scheme == .https ? 443 : 80)
        } catch {
            switch error {
            case .host:
                throw invalid("the URL has no valid host", remedy: "give a host name or a full IP address")
            case .port(let host):
                throw invalid("the URL of \(host) has no valid port")
            }
        }
    }

    /// Scheme, host and port: what may be shown where the path should not be.
    public var origin: String {
        let isDefault = port == (scheme == .https ? 443 : 80)
        return "\(scheme.rawValue)://\(host)" + (isDefault ? "" : ":\(port)")
    }

    /// The URL in its one normal form.
    public var description: String { origin + target }

    /// The URL with further path segments, each percent-encoded; a query is dropped.
    ///
    /// Nothing in a segment can lead out of it: slashes are encoded, and so are the dots of `.` and `..`.
    public func appending(_ segments: String...) -> EndpointURL {
        let base = target.prefix { $0 != "?" }
        let path = base.reversed().drop { $0 == "/" }.reversed()
        return EndpointURL(
            scheme: scheme, host: host, port: port,
            target: String(path) + segments.map { "/" + PercentEncoding.pathSegment($0) }.joined())
    }

    private init(scheme: Scheme, host: String, port: Int, target: String) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.target = target
    }
}

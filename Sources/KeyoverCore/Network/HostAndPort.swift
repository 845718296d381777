/// The host and the port of a URL, as it says them between its scheme and its path.
///
/// Names, full IPv4 addresses and bracketed IPv6 addresses are hosts. What only some programs take for an address
/// (2130706433, 0x7f.1, 127.1) is none, so that no two of them read a URL differently.
public struct HostAndPort: Hashable, Sendable, CustomStringConvertible {
    /// What is wrong with a text.
    public enum Fault: Error, Equatable {
        /// There is no valid host.
        case host
        /// There is no valid port behind the host.
        case port(of: String)
    }

    /// The host in lower case; an IPv6 address stands in brackets.
    public let host: String
    /// The port, also where the text left it out.
    public let port: Int

    /// Reads `HOST`, `HOST:PORT`, `[ADDRESS]` or `[ADDRESS]:PORT`.
    public init(_ text: Substring, defaultPort: Int) throws(Fault) {
        let isBracketed = text.first == "["
        let hostEnd = isBracketed ? text.firstIndex(of: "]").map(text.index(after:)) : text.firstIndex(of: ":")
        host = text[..<(hostEnd ?? text.endIndex)].lowercased()
        guard isBracketed ? Self.isIPv6(host) : Self.isName(host) else { throw .host }
        let rest = text[(hostEnd ?? text.endIndex)...]
        guard !rest.isEmpty else {
            port = defaultPort
            return
        }
        let digits = rest.dropFirst()
        guard rest.first == ":", (1...5).contains(digits.count), digits.utf8.allSatisfy({ (48...57).contains($0) }),
            let port = Int(digits), (1...65535).contains(port)
        else { throw .port(of: host) }
        self.port = port
    }

    /// The host as an address; `nil` for a name.
    public var address: NetworkAddress? { NetworkAddress(String(host.drop { $0 == "[" }.prefix { $0 != "]" })) }

    /// Host and port.
    public var description: String { "\(host):\(port)" }

    private static func isIPv6(_ bracketed: String) -> Bool {
        let literal = String(bracketed.dropFirst().dropLast())
        return bracketed.last == "]" && literal.contains(":") && NetworkAddress(literal) != nil
    }

    private static func isName(_ host: String) -> Bool {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard host.utf8.count <= 253, let last = labels.last,
            labels.allSatisfy({ (1...63).contains($0.utf8.count) && $0.utf8.allSatisfy(isNameByte) })
        else { return false }
        let looksNumeric = last.hasPrefix("0x") || last.utf8.allSatisfy { (48...57).contains($0) }
        return !looksNumeric || NetworkAddress(host) != nil
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (97...122).contains(byte) || byte == 45 || byte == 95
    }
}

import Glibc

/// An IP address, for the questions that a client with secrets must ask before it talks to one.
public struct NetworkAddress: Equatable, Sendable {
    /// Four bytes of IPv4 or sixteen of IPv6; an IPv4 address mapped into IPv6 is taken out.
    public let bytes: [UInt8]

    /// Reads a literal address in its standard text form; `nil` for a name, a short form or a zone.
    public init?(_ text: String) {
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            bytes = withUnsafeBytes(of: &v4) { Array($0) }
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            let all = withUnsafeBytes(of: &v6) { Array($0) }
            let isMapped = Self.embedded.contains { all.starts(with: $0) }
            bytes = isMapped ? Array(all.suffix(4)) : all
        } else {
            return nil
        }
    }

    // ::ffff:0:0/96 and 64:ff9b::/96 lead to the IPv4 address in their last four bytes.
    private static let embedded: [[UInt8]] = [
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF],
        [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0],
    ]

    // Amazon's metadata service has an IPv6 address that is not link-local, and Alibaba's a shared one.
    private static let metadata: [[UInt8]] = [
        [0xFD, 0, 0x0E, 0xC2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54],
        [100, 100, 100, 200],
    ]

    /// Whether the address never leaves the machine.
    public var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1
    }

    /// Why no server can be there, in a few words; `nil` when one can.
    public var objection: String? {
        if Self.metadata.contains(bytes) { return "a cloud metadata address" }
        if bytes.count == 4 {
            switch (bytes[0], bytes[1]) {
            case (169, 254): return "a link-local address"
            case (0, _): return "no address of a host"
            case (224..., _): return "a multicast address"
            default: return nil
            }
        }
        if bytes[0] == 0xFE, bytes[1] & 0xC0 == 0x80 { return "a link-local address" }
        if bytes[0] == 0xFF { return "a multicast address" }
        return bytes.allSatisfy { $0 == 0 } ? "no address of a host" : nil
    }
}

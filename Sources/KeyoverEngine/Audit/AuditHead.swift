/// The end of a host's audit log: how many lines there are and the chain value of the last one.
///
/// Written down elsewhere, it proves later that the log still holds every line it held then. As text: `17:9f86d0...`.
public struct AuditHead: Hashable, Sendable, LosslessStringConvertible {
    /// The head of a log without lines.
    public static let empty = AuditHead(count: 0, mac: String(repeating: "0", count: 64))

    /// The number of the last line, which is the number of lines.
    public let count: UInt64
    /// The chain value of the last line, 64 hexadecimal digits.
    public let mac: String

    /// The head of a log with so many lines.
    public init(count: UInt64, mac: String) {
        self.count = count
        self.mac = mac
    }

    /// Reads the form `COUNT:DIGITS`; `nil` for anything else.
    public init?(_ description: String) {
        let parts = description.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = UInt64(parts[0]), String(count) == parts[0], parts[1].utf8.count == 64,
            parts[1].utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else { return nil }
        self.init(count: count, mac: String(parts[1]))
    }

    /// The form `COUNT:DIGITS`.
    public var description: String { "\(count):\(mac)" }
}

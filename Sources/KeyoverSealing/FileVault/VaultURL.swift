/// Where a vault is: a backend's scheme and what the backend makes of the rest, such as `file:/var/lib/keyover/vault`.
public struct VaultURL: Hashable, Sendable, LosslessStringConvertible {
    /// The backend's registered word.
    public let scheme: String
    /// What follows the colon; for `file` a path, taken literally (no percent-encoding).
    public let location: String

    /// A place of a backend.
    public init(scheme: String, location: String) {
        self.scheme = scheme
        self.location = location
    }

    /// Reads `scheme:location`; a path that begins with `/` or `.` stands for `file:`.
    public init?(_ description: String) {
        guard !description.utf8.contains(where: { $0 < 32 || $0 == 127 }) else { return nil }
        if description.hasPrefix("/") || description.hasPrefix(".") {
            self.init(scheme: "file", location: description)
            return
        }
        guard let colon = description.firstIndex(of: ":") else { return nil }
        let scheme = description[..<colon]
        var location = description[description.index(after: colon)...]
        guard !scheme.isEmpty, scheme.utf8.allSatisfy({ (97...122).contains($0) }),
            scheme != "file" || !location.isEmpty
        else { return nil }
        if scheme == "file", location.hasPrefix("//") {
            location = location.dropFirst(2)
            // Between the slashes a URL names a host, and there is only this one.
            guard location.hasPrefix("/") else { return nil }
        }
        self.init(scheme: String(scheme), location: String(location))
    }

    /// The form that ``init(_:)`` reads.
    public var description: String { "\(scheme):\(location)" }
}

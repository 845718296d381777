/// What one host last wrote: the head of its audit log, so that a log cut short is noticed.
public struct HostRecord: VaultRecord {
    /// `host`.
    public static let kind = "host"
    /// The newest format.
    public static let formatVersion = 1

    /// The record's own id, fresh at creation.
    public let id: UUIDv7
    /// The host's name.
    public let name: Name<HostRecord>
    /// The number of the newest line of the host's audit log.
    public var auditCount: UInt64
    /// The chain value of that line, 64 hexadecimal digits.
    public var auditHead: String

    /// A host's mark.
    public init(id: UUIDv7, name: Name<HostRecord>, auditCount: UInt64, auditHead: String) {
        self.id = id
        self.name = name
        self.auditCount = auditCount
        self.auditHead = auditHead
    }

    /// A host record holds no values.
    public var secrets: [String: SecretValue] {
        get { [:] }
        set { _ = newValue }
    }
}

/// One line of a client's history: who did what, when, why and with which result; never a secret.
public struct AuditEntry: Codable, Equatable, Sendable {
    /// The entry's number within its client, rising by one.
    public var sequence: UInt64
    /// When it happened, by the wall clock of the host.
    public var time: Timestamp
    /// The client's record id, which outlives renaming and tells a re-created client apart.
    public var record: UUIDv7
    /// The client's name.
    public var client: ClientName
    /// The rotation it belongs to.
    public var rotation: UUIDv7?
    /// What happened, a stable word such as `rotation.cutOver`.
    public var action: String
    /// Who did it.
    public var actor: Actor
    /// Why, in the actor's words.
    public var reason: String?
    /// Particulars by stable key.
    public var details: [String: String]

    /// An entry of a client's history.
    public init(
        sequence: UInt64, time: Timestamp, record: UUIDv7, client: ClientName, rotation: UUIDv7?, action: String,
        actor: Actor, reason: String?, details: [String: String]
    ) {
        self.sequence = sequence
        self.time = time
        self.record = record
        self.client = client
        self.rotation = rotation
        self.action = action
        self.actor = actor
        self.reason = reason
        self.details = details
    }
}

/// Who acts, as the kernel and systemd say, not as the command line says.
public struct Actor: Codable, Hashable, Sendable {
    /// The real user id.
    public var uid: UInt32
    /// The user behind `sudo`, from `SUDO_USER`; a hint, since the environment can be set by anyone.
    public var sudoUser: String?
    /// The systemd unit, when run by one.
    public var unit: String?
    /// The host's name.
    public var host: String

    /// An actor.
    public init(uid: UInt32, sudoUser: String? = nil, unit: String? = nil, host: String) {
        self.uid = uid
        self.sudoUser = sudoUser
        self.unit = unit
        self.host = host
    }
}

/// Where audit entries go, outside of the vault.
///
/// `append` returns when the entries are durable. An entry already in the log (same record and sequence) is not written
/// twice. It is bounded in time: a sink that hangs gives `.timedOut`. While a sink fails, rotations stop; reading
/// secrets does not.
public protocol AuditSink: Sendable {
    /// Makes the entries durable, in order, once each.
    func append(_ entries: [AuditEntry]) async throws(AuditError)
}

/// All that Keyover knows about one client: every change of it is one compare-and-swap of this record.
public struct ClientRecord: VaultRecord {
    /// `client`.
    public static let kind = "client"
    /// The newest format.
    public static let formatVersion = 1
    /// How many retired secrets are remembered.
    public static let retiredLimit = 20

    /// The record's own id, fresh at creation.
    public let id: UUIDv7
    /// The Keyover name.
    public let name: ClientName
    /// What an admin said about it.
    public var registration: Registration
    /// The secret in force outside of rotations.
    public var primary: Slot
    /// The secret that the rotation in progress brings in.
    public var secondary: Slot?
    /// The idle second registration of a paired client.
    public var standby: Standby?
    /// Which slot consumers are given.
    public var active: SlotName
    /// Rises by one whenever consumers are to use a different secret; begins at 1.
    public var generation: UInt64
    /// The rotation in progress.
    public var rotation: Rotation?
    /// Whether the primary is known to have leaked and is still in force.
    public var primaryIsCompromised: Bool
    /// Set while the client is as it came out of a backup and nothing has been verified since.
    public var restored: Restoration?
    /// Set once the client lives in another vault.
    public var moved: Relocation?
    /// How the last rotation ended.
    public var lastRotation: RotationSummary?
    /// Provider secrets that Keyover minted or adopted and that are not yet gone.
    public var owned: [OwnedSecret]
    /// Audit entries not yet known to be in the audit log.
    public var outbox: [AuditEntry]
    /// The number of the newest audit entry of this client; the first is 1.
    public var auditSequence: UInt64
    /// The newest retired secrets, newest last, at most ``retiredLimit``.
    public var retired: [RetiredSecret]
    /// Since when Keyover manages the client.
    public let createdAt: Timestamp

    private enum CodingKeys: String, CodingKey {
        case id, name, registration, primary, secondary, standby, active, generation, rotation
        case primaryIsCompromised, restored, moved, lastRotation, owned
        case outbox, auditSequence, retired, createdAt
    }

    /// A client just adopted, with its secret as primary.
    public init(
        id: UUIDv7, name: ClientName, registration: Registration, primary: Slot, createdAt: Timestamp
    ) {
        self.id = id
        self.name = name
        self.registration = registration
        self.primary = primary
        active = .primary
        generation = 1
        primaryIsCompromised = false
        owned = primary.secretID.map { [OwnedSecret(secretID: $0, tag: nil, since: createdAt)] } ?? []
        outbox = []
        auditSequence = 0
        retired = []
        self.createdAt = createdAt
    }

    /// The slot of a name, when it is filled.
    public subscript(slot: SlotName) -> Slot? {
        get { slot == .primary ? primary : secondary }
        set {
            switch (slot, newValue) {
            case (.primary, let value?): primary = value
            case (.primary, nil): break  // A client always has a primary.
            case (.secondary, let value): secondary = value
            }
        }
    }

    /// The slot that consumers are given; the primary when the pointer names an empty slot.
    public var activeSlot: Slot { self[active] ?? primary }

    /// The values by field: `primary`, `secondary`, `standby`.
    public var secrets: [String: SecretValue] {
        get {
            var values: [String: SecretValue] = [:]
            values["primary"] = primary.value
            values["secondary"] = secondary?.value
            values["standby"] = standby?.value
            return values
        }
        set {
            primary.value = newValue["primary"]
            secondary?.value = newValue["secondary"]
            standby?.value = newValue["standby"]
        }
    }
}

/// The idle second registration that paired-clients rotates into.
public struct Standby: Codable, Equatable, Sendable {
    /// Its client id.
    public var clientID: String
    /// Its secret, when known.
    public var value: SecretValue?

    private enum CodingKeys: String, CodingKey { case clientID }

    /// A standby registration.
    public init(clientID: String, value: SecretValue?) {
        self.clientID = clientID
        self.value = value
    }
}

/// A provider secret that Keyover answers for until it is gone.
public struct OwnedSecret: Codable, Hashable, Sendable {
    /// The provider's id of it.
    public var secretID: SecretID
    /// The tag it was minted with; `nil` for an adopted one.
    public var tag: String?
    /// Since when it is owned.
    public var since: Timestamp
    /// When it was found after a restore: until then readers may have been given it.
    public var foundAt: ClockReading?

    /// An owned secret.
    public init(secretID: SecretID, tag: String?, since: Timestamp, foundAt: ClockReading? = nil) {
        self.secretID = secretID
        self.tag = tag
        self.since = since
        self.foundAt = foundAt
    }
}

/// What is kept of a secret that is gone: never the value.
public struct RetiredSecret: Codable, Equatable, Sendable {
    /// Its fingerprint, to recognise it should it turn up.
    public var fingerprint: Fingerprint
    /// The provider's id it had.
    public var secretID: SecretID?
    /// The rotation that retired it.
    public var rotation: UUIDv7
    /// When it was proven dead.
    public var retiredAt: Timestamp
    /// What proved it.
    public var evidence: [Evidence]

    /// The trace of a retired secret.
    public init(
        fingerprint: Fingerprint, secretID: SecretID?, rotation: UUIDv7, retiredAt: Timestamp, evidence: [Evidence]
    ) {
        self.fingerprint = fingerprint
        self.secretID = secretID
        self.rotation = rotation
        self.retiredAt = retiredAt
        self.evidence = evidence
    }
}

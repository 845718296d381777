import KeyoverCore

/// A client as `--format json` shows it: what was registered, both slots, and where it stands; never a secret.
struct ClientView: Encodable {
    /// One secret without its value.
    struct SlotView: Encodable {
        let clientID: String
        let secretID: SecretID?
        let issuedAt: Timestamp?
        let expiresAt: Timestamp?
        let storedAt: Timestamp
        let verifiedAt: Timestamp?

        init(_ slot: Slot) {
            clientID = slot.clientID
            secretID = slot.secretID
            issuedAt = slot.issuedAt
            expiresAt = slot.expiresAt
            storedAt = slot.storedAt
            verifiedAt = slot.verifiedAt?.wall
        }
    }

    let name: ClientName
    let tenant: TenantName
    let tokenURL: String?
    let scopes: [String]
    let authentication: ClientAuthentication
    let canaryURL: String?
    let owner: String?
    let labels: [String: String]
    let consumerCache: String?
    let strategy: StrategyName?
    let deliveries: [DeliveryTarget]
    let active: SlotName
    let generation: UInt64
    let primary: SlotView
    let secondary: SlotView?
    let primaryIsCompromised: Bool
    let restored: Restoration?
    let createdAt: Timestamp

    init(_ record: ClientRecord) {
        let registration = record.registration
        name = record.name
        tenant = registration.tenant
        tokenURL = registration.tokenURL
        scopes = registration.scopes
        authentication = registration.authentication
        canaryURL = registration.canaryURL
        owner = registration.owner
        labels = registration.labels
        consumerCache = registration.consumerCache?.description
        strategy = registration.strategy
        deliveries = registration.deliveries
        active = record.active
        generation = record.generation
        primary = SlotView(record.primary)
        secondary = record.secondary.map(SlotView.init)
        primaryIsCompromised = record.primaryIsCompromised
        restored = record.restored
        createdAt = record.createdAt
    }
}

extension Sheet {
    /// The lines about what was registered.
    mutating func add(registrationOf record: ClientRecord) {
        let registration = record.registration
        add("client", record.name.description)
        add("tenant", registration.tenant.description)
        add("client id", record.activeSlot.clientID.printable)
        add("token URL", registration.tokenURL)
        add("scopes", registration.scopes.joined(separator: " ").printable)
        add("authentication", registration.authentication.rawValue)
        add("canary URL", registration.canaryURL)
        add("owner", registration.owner?.printable)
        add(
            "labels",
            registration.labels.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: " ").printable)
        add("consumer cache", registration.consumerCache?.description)
        add("strategy", registration.strategy?.description)
        for target in registration.deliveries {
            add("delivery", "\(target.kind) \(target.arguments.joined(separator: " "))".printable)
        }
    }

    /// The line about a restore that nothing was verified after.
    mutating func add(restored: Restoration?) {
        add(
            "restored", restored.map { "\($0.at.minute), from a backup of \($0.backedUpAt.minute); not verified since" }
        )
    }

    /// The lines about one secret.
    mutating func add(_ name: SlotName, _ slot: Slot, isActive: Bool) {
        let id = slot.secretID.map { "secret id \($0)".printable } ?? "secret id not known"
        let times = [
            slot.issuedAt.map { "issued \($0.minute)" } ?? "stored \(slot.storedAt.minute)",
            slot.expiresAt.map { "expires \($0.minute)" }, slot.verifiedAt.map { "verified \($0.wall.minute)" },
        ]
        add(
            name.rawValue,
            ([isActive ? "active" : "not active", id] + times.compactMap(\.self)).joined(separator: ", "))
    }
}

extension Timestamp {
    /// The moment to the minute, for people: `2026-11-21 04:45 UTC`.
    var minute: String {
        let text = description
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
    }
}

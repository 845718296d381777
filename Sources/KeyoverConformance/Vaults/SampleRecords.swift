public import KeyoverCore

/// Records with something in every field, the same each time.
public enum SampleRecords {
    private struct Fixed: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state
        }
    }

    /// A moment that all samples are made at.
    public static let moment = Timestamp(millisecondsSinceEpoch: 1_795_236_334_123)

    /// An id that depends on the number only.
    public static func id(_ number: UInt64) -> UUIDv7 {
        var generator = Fixed(state: number)
        return UUIDv7(at: moment, using: &generator)
    }

    /// A name that has to be valid.
    public static func name<Subject>(_ text: String) -> Name<Subject> {
        guard let name = Name<Subject>(text) else { preconditionFailure("\(text) is no name") }
        return name
    }

    /// A client just adopted.
    public static func client(_ text: String, secret: String = "hush", number: UInt64 = 1) -> ClientRecord {
        let primary = Slot(
            clientID: "id-of-\(text)", value: SecretValue(copying: secret.utf8), secretID: SecretID("key-1"),
            fingerprint: Fingerprint(bytes: [UInt8](repeating: 7, count: 32)), storedAt: moment)
        return ClientRecord(
            id: id(number), name: name(text), registration: Registration(tenant: name("sandbox-1")), primary: primary,
            createdAt: moment)
    }

    /// A tenant with all optional fields and an admin credential.
    public static func tenant(_ text: String) -> TenantRecord {
        var tenant = TenantRecord(id: id(2), name: name(text), provider: "sandbox", createdAt: moment)
        tenant.region = "eu-west-1"
        tenant.baseURL = "https://login.example.org"
        tenant.settings = ["propagation": "2s", "umlaut": "Zürich \"quoted\" \\ /"]
        tenant.adminCredential = SecretValue(copying: "admin-hush".utf8)
        tenant.callsPerMinute = 300
        tenant.moved = relocation
        return tenant
    }

    private static let relocation = Relocation(
        to: "etcd:https://etcd.example.org:2379/keyover", keyCommitment: String(repeating: "0b", count: 32), at: moment)

    /// A host's mark.
    public static func host(_ text: String) -> HostRecord {
        HostRecord(
            id: id(3), name: name(text), auditCount: UInt64(Int64.max), auditHead: String(repeating: "0a", count: 32))
    }

    /// A client in the middle of a rotation, with something in every optional field.
    public static func clientInRotation(_ text: String) -> ClientRecord {
        var client = client(text)
        client.registration = registration()
        client.primary.issuedAt = moment - .days(80)
        client.primary.expiresAt = moment + .days(10)
        client.primary.verifiedAt = reading(1)
        client.secondary = Slot(
            clientID: "id-of-secondary", value: SecretValue(copying: "whisper".utf8), secretID: SecretID("key-2"),
            fingerprint: Fingerprint(bytes: [UInt8](repeating: 8, count: 32)), issuedAt: moment,
            expiresAt: moment + .days(90), storedAt: moment, verifiedAt: reading(2))
        client.standby = Standby(clientID: "id-of-standby", value: SecretValue(copying: "murmur".utf8))
        client.active = .secondary
        client.primaryIsCompromised = true
        client.moved = relocation
        client.restored = Restoration(at: moment, backedUpAt: moment - .days(1))
        client.generation = 42
        client.rotation = rotation()
        client.lastRotation = RotationSummary(
            id: id(5), strategy: strategy, outcome: .rolledBack, startedAt: moment - .days(91),
            endedAt: moment - .days(90), reason: "quarterly")
        client.owned[0].tag = "keyover-0"
        client.owned[0].foundAt = reading(16)
        client.owned.append(
            OwnedSecret(secretID: SecretID("key-2"), tag: "keyover-1", since: moment, foundAt: reading(15)))
        client.outbox = [
            AuditEntry(
                sequence: 17, time: moment, record: client.id, client: client.name, rotation: id(4),
                action: "rotation.cutOver", actor: actor, reason: "quarterly", details: ["generation": "42"])
        ]
        client.auditSequence = 17
        client.retired = [
            RetiredSecret(
                fingerprint: Fingerprint(bytes: [UInt8](repeating: 9, count: 32)), secretID: SecretID("key-0"),
                rotation: id(6), retiredAt: moment - .days(80), evidence: [evidence(.refused)])
        ]
        return client
    }

    /// What a consumer reports.
    public static func report(
        _ consumer: String, generation: UInt64, at milliseconds: Int64 = 0, rejected: UInt64? = nil
    ) -> LedgerEntry {
        LedgerEntry(
            consumer: name(consumer), generation: generation, seen: reading(milliseconds), lease: .hours(1),
            rejected: rejected)
    }

    private static let strategy = StrategyName("overlap-add")
    private static let actor = Actor(uid: 1000, sudoUser: "ann", unit: "keyover.service", host: "host-1")

    private static func reading(_ milliseconds: Int64) -> ClockReading {
        ClockReading(
            wall: moment + .milliseconds(milliseconds), sinceBoot: .milliseconds(milliseconds), bootID: "boot-1")
    }

    private static func evidence(_ kind: Evidence.Kind) -> Evidence {
        Evidence(kind, slot: .primary, secretID: SecretID("key-1"), at: reading(3), detail: "401 invalid_client")
    }

    private static func registration() -> Registration {
        var registration = Registration(tenant: name("sandbox-1"))
        registration.tokenURL = "https://login.example.org/oauth/token"
        registration.scopes = ["read", "write"]
        registration.authentication = .post
        registration.canaryURL = "https://api.example.org/me"
        registration.owner = "payments@example.org"
        registration.labels = ["stage": "production", "team": "payments"]
        registration.consumerCache = .minutes(5)
        registration.strategy = strategy
        registration.deliveries = [DeliveryTarget(kind: "command", arguments: ["/usr/local/bin/deliver", "--now"])]
        return registration
    }

    private static func rotation() -> Rotation {
        var rotation = Rotation(
            id: id(4), strategy: strategy, startedAt: reading(0), startedBy: actor, reason: "quarterly",
            compromised: .primary)
        rotation.stage = .draining
        rotation.recovery = Restoration(at: moment, backedUpAt: moment - .days(1))
        rotation.enteredAt = reading(4)
        rotation.claim = Claim(nonce: "nonce-1", host: "host-1", at: reading(5), term: .seconds(30))
        rotation.intent = Intent(.remove(SecretID("key-1")), declaredAt: reading(6), term: .seconds(30))
        rotation.tags = ["keyover-1"]
        rotation.orphans = [SecretID("key-3")]
        rotation.mintDeclaredAt = reading(7)
        rotation.mintedAt = reading(8)
        rotation.switchedAt = reading(9)
        rotation.deactivatedAt = reading(10)
        rotation.reactivatedAt = reading(13)
        rotation.removedAt = reading(11)
        rotation.activeAcceptedAt = reading(12)
        rotation.turnedOff = SecretID("key-1")
        rotation.lostDeactivation = Intent(
            .deactivate(SecretID("key-1")), declaredAt: reading(13), term: .seconds(30))
        rotation.fuse = moment + .days(1)
        rotation.fuseLitAt = reading(14)
        rotation.fuseSpan = .days(1)
        rotation.acceptedUndrained = [name("web-1")]
        rotation.deliveries = [
            DeliveryResult(
                target: DeliveryTarget(kind: "command", arguments: ["/bin/true"]), generation: 42, at: moment,
                failure: "exit 1")
        ]
        rotation.waiting = Waiting(.drain, "until the slowest consumer has moved", until: moment + .minutes(5))
        rotation.attention = Attention(
            .undrained, from: .draining, message: "web-2 has not moved", deadline: moment + .days(7),
            exits: [.resume, .abort])
        rotation.isAborting = true
        rotation.failures = 3
        rotation.evidence = [evidence(.accepted), evidence(.consumersMoved)]
        return rotation
    }
}

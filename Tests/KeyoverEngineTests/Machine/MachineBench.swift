import KeyoverCore
import Testing

/// Drives the bare machine: a record, a clock that moves when told to, and the last effect.
struct MachineBench {
    typealias Machine = RotationMachine

    var record: ClientRecord
    var capabilities: Capabilities
    var policy = RotationPolicy()
    var calendar: any RotationCalendar = AlwaysOpen()
    var until: Stage?
    var now = Self.start
    private(set) var effect: Machine.Effect?
    private var tagCount = 0

    static let start = ClockReading(
        wall: Timestamp(millisecondsSinceEpoch: 1_795_000_000_000), sinceBoot: .hours(1), bootID: "boot-1")
    static let newFingerprint = Fingerprint(bytes: [2])

    init(
        _ strategy: String = "overlap-add", secretID: SecretID? = SecretID("old"), compromised: SlotName? = nil,
        _ change: (inout Capabilities) -> Void = { _ in }
    ) throws {
        capabilities = Capabilities(maxSecrets: 2)
        capabilities.deletesByID = true
        capabilities.mintRepair = .removeTagged
        change(&capabilities)
        let tenant = try #require(TenantName("sandbox"))
        let name = try #require(ClientName("billing-sync"))
        var generator = SystemRandomNumberGenerator()
        record = ClientRecord(
            id: UUIDv7(at: now.wall, using: &generator), name: name, registration: Registration(tenant: tenant),
            primary: Slot(
                clientID: "client", value: SecretValue(copying: Array("old".utf8)), secretID: secretID,
                fingerprint: Fingerprint(bytes: [1]), storedAt: now.wall),
            createdAt: now.wall)
        record.rotation = Rotation(
            id: UUIDv7(at: now.wall, using: &generator), strategy: StrategyName(strategy), startedAt: now,
            startedBy: Actor(uid: 0, host: "host-1"), reason: nil, compromised: compromised)
    }

    var rotation: Rotation { get throws { try #require(record.rotation) } }
    var stage: Stage? { record.rotation?.stage }
    var cause: Attention.Cause? { record.rotation?.attention?.cause }

    mutating func advance(_ span: TimeSpan) {
        now.wall = now.wall + span
        now.sinceBoot = now.sinceBoot + span
    }

    @discardableResult
    mutating func order(_ order: Machine.Order) throws -> Machine.Effect? { try apply(.order(order)) }

    @discardableResult
    mutating func see(_ observation: Machine.Observation) throws -> Machine.Effect? {
        try apply(.observation(observation))
    }

    private mutating func apply(_ event: Machine.Event) throws -> Machine.Effect? {
        let name = try #require(record.rotation?.strategy)
        let strategy = try #require(Strategies.named(name))
        tagCount += 1
        let context = Machine.Context(
            strategy: strategy, capabilities: capabilities, policy: policy, calendar: calendar, now: now,
            actor: Actor(uid: 0, host: "host-1"), claimTerm: .seconds(30), freshTag: "tag-\(tagCount)", until: until)
        let step = try Machine.transition(record, on: event, in: context)
        record = step.record
        effect = step.effect
        return effect
    }

    // MARK: Observations

    func accepted(_ slot: SlotName) -> Machine.Observation {
        .probed(.accepted([Evidence(.accepted, slot: slot, at: now)]))
    }

    func refused(_ slot: SlotName) -> Machine.Observation {
        .probed(.refused("the \(slot) secret is refused", [Evidence(.refused, slot: slot, at: now)]))
    }

    func gate(
        _ ledger: [LedgerEntry] = [], lastUse: Timestamp? = nil, active: Machine.Probe? = nil
    ) -> Machine.Observation {
        let probe = active ?? .accepted([Evidence(.accepted, slot: record.active, at: now)])
        return .gate(GateObservation(ledger: ledger, lastUse: lastUse, active: probe))
    }

    static func minted(_ id: SecretID? = SecretID("new"), fuse: Timestamp? = nil) -> Machine.Observation {
        .written(
            .minted(
                MintedSecret(id: id, value: SecretValue(copying: Array("new".utf8)), fuse: fuse), newFingerprint))
    }

    static func supplied(_ value: String = "new", _ fingerprint: Fingerprint = newFingerprint) -> Machine.Observation {
        .supplied(MintedSecret(id: nil, value: SecretValue(copying: Array(value.utf8))), fingerprint)
    }

    // MARK: Ways

    /// The observation that moves each stage of the happy path on, with the time it takes.
    mutating func step() throws {
        switch stage {
        case .minting:
            if case .send = effect {
                try see(Self.minted())
                return
            }
            try see(.listed([ListedSecret(id: SecretID("old"))]))
        case .staged: try see(.readBack(true))
        case .verifying: try see(accepted(.secondary))
        case .cutOver, .switchBack: try see(.delivered([]))
        case .draining, .drainBack:
            advance(.minutes(10))
            try see(gate())
        case .soaking:
            advance(.minutes(10))
            try see(gate())
        case .deactivating, .retiring, .removing:
            if effect == .checkActive {
                try see(accepted(record.active))
                return
            }
            try see(.written(.done))
        case .proving: try see(refused(.primary))
        case .precheck:
            if case .send = effect {
                try see(.written(.done))
                return
            }
            try see(accepted(.primary))
        case .provingRemoved: try see(refused(.secondary))
        case .completed, .rolledBack: try see(.listed([ListedSecret(id: record.primary.secretID ?? SecretID("old"))]))
        case .needsAttention, nil: Issue.record("there is no next step from \(String(describing: stage))")
        }
    }

    /// Goes the happy path until the rotation is in the stage.
    mutating func go(to goal: Stage) throws {
        try order(.resumed)
        for _ in 0..<40 where stage != goal { try step() }
        #expect(stage == goal)
    }
}

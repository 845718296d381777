import KeyoverCore

/// A rotation in progress as `--format json` shows it.
struct RotationView: Encodable {
    struct WaitingView: Encodable {
        let kind: Waiting.Kind
        let message: String
        let until: Timestamp?
    }

    struct AttentionView: Encodable {
        let cause: Attention.Cause
        let from: Stage
        let message: String
        let deadline: Timestamp?
        let exits: [Attention.Exit]
    }

    let id: String
    let stage: Stage
    let strategy: StrategyName
    let startedAt: Timestamp
    let startedBy: Actor
    let reason: String?
    let enteredAt: Timestamp
    let compromised: SlotName?
    let isRecovery: Bool
    let fuse: Timestamp?
    let waiting: WaitingView?
    let attention: AttentionView?
    let runner: String?

    init(_ rotation: Rotation) {
        id = rotation.id.description
        stage = rotation.stage
        strategy = rotation.strategy
        startedAt = rotation.startedAt.wall
        startedBy = rotation.startedBy
        reason = rotation.reason
        enteredAt = rotation.enteredAt.wall
        compromised = rotation.compromised
        isRecovery = rotation.recovery != nil
        fuse = rotation.fuse
        waiting = rotation.waiting.map { WaitingView(kind: $0.kind, message: $0.message, until: $0.until) }
        attention = rotation.attention.map { attention in
            AttentionView(
                cause: attention.cause, from: attention.from, message: attention.message,
                deadline: attention.deadline, exits: attention.exits)
        }
        runner = rotation.claim?.host
    }
}

/// A client's state as `status --format json` shows it.
struct StatusView: Encodable {
    let client: ClientName
    let tenant: TenantName
    let stage: String
    let generation: UInt64
    let active: SlotName
    let restored: Restoration?
    let dueAt: Timestamp
    let deadline: Timestamp
    let rotation: RotationView?
    let lastRotation: RotationSummary?
    let waitingFor: String?
    let until: Timestamp?
    let next: String?
    let alternatives: [String]

    init(_ record: ClientRecord, _ next: NextStep, _ schedule: Schedule) {
        client = record.name
        tenant = record.registration.tenant
        stage = record.rotation?.stage.rawValue ?? "idle"
        generation = record.generation
        active = record.active
        restored = record.restored
        dueAt = schedule.actsAt
        deadline = schedule.deadline
        rotation = record.rotation.map(RotationView.init)
        lastRotation = record.lastRotation
        waitingFor = next.waitingFor
        until = next.until
        self.next = next.command
        alternatives = next.alternatives
    }
}

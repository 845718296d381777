import KeyoverCore
import KeyoverEngine

/// Where a client stands and the exact command that goes on from there.
struct NextStep {
    /// How urgent a client is in a list, the most urgent first.
    enum Urgency: Int, Comparable {
        case needsAttention, person, interrupted, waiting, running, idle

        static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    let urgency: Urgency
    /// What it waits for, in words; `nil` when for nothing.
    let waitingFor: String?
    /// When it goes on or gets worse by itself.
    let until: Timestamp?
    /// The command to type; `nil` when there is nothing to do.
    let command: String?
    /// Other ways on.
    let alternatives: [String]

    /// Where a client stands; with `presence`, a runner that died on this host is known to be dead at once.
    init(_ record: ClientRecord, at now: ClockReading, presence: (any RunnerPresence)? = nil) {
        let name = record.name
        if let restored = record.restored, record.isToBeRecovered {
            self.init(
                .needsAttention, "came out of a backup of \(restored.backedUpAt.minute)", nil, "keyover recover \(name)"
            )
            return
        }
        guard let rotation = record.rotation else {
            self.init(
                .idle, nil, nil, record.primaryIsCompromised ? "keyover rotate \(name) --compromised primary" : nil)
            return
        }
        if let attention = rotation.attention {
            let ways = attention.exits.map { "keyover \($0.rawValue) \(name)" }
            let accepts = attention.cause == .undrained
            self.init(
                .needsAttention, "\(attention.cause.rawValue): \(attention.message)", attention.deadline,
                accepts ? "keyover resume \(name) --accept-undrained CONSUMER" : ways.first,
                alternatives: accepts ? ways : Array(ways.dropFirst()))
            return
        }
        let resume = "keyover resume \(name)"
        if let claim = rotation.claim, now.elapsedAtMost(since: claim.at) < claim.term + .seconds(60),
            presence?.isProvenDead(claim) != true
        {
            self.init(.running, rotation.waiting?.message ?? "a runner on \(claim.host)", rotation.waiting?.until, nil)
            return
        }
        guard let waiting = rotation.waiting else {
            self.init(.interrupted, "nobody is at work on it", nil, resume)
            return
        }
        guard waiting.kind == .person else {
            self.init(.waiting, waiting.message, waiting.until, resume)
            return
        }
        let isForSecret = rotation.stage == .minting
        self.init(.person, waiting.message, nil, resume + (isForSecret ? " --secret-stdin" : " --deleted"))
    }

    private init(
        _ urgency: Urgency, _ waitingFor: String?, _ until: Timestamp?, _ command: String?, alternatives: [String] = []
    ) {
        self.urgency = urgency
        self.waitingFor = waitingFor
        self.until = until
        self.command = command
        self.alternatives = alternatives
    }

    /// The step that a person is asked for, when the rotation waits for one.
    static func manualStep(of record: ClientRecord) -> ManualStep? {
        guard let rotation = record.rotation, rotation.waiting?.kind == .person else { return nil }
        if rotation.stage == .minting { return .addSecret }
        let slot: SlotName = rotation.stage == .removing ? .secondary : .primary
        return .deleteSecret(slot, record[slot]?.secretID)
    }
}

extension ClientRecord {
    /// Whether it came out of a backup and nothing has been done about it yet.
    var isToBeRecovered: Bool { restored != nil && !isUnderRecovery }
}

/// One attempt to replace a client's primary secret: all that must survive the death of the process that runs it.
public struct Rotation: Codable, Equatable, Sendable {
    /// Its id.
    public let id: UUIDv7
    /// How it is carried out.
    public let strategy: StrategyName
    /// Where it is.
    public var stage: Stage
    /// When it began.
    public let startedAt: ClockReading
    /// Who began it.
    public let startedBy: Actor
    /// Why, in the actor's words.
    public let reason: String?
    /// When the present stage was entered.
    public var enteredAt: ClockReading
    /// The slot that was said to have leaked, if any.
    public var compromised: SlotName?
    /// The restore that it recovers from: the primary was found dead before it began, and there is nothing to go back to.
    public var recovery: Restoration?
    /// The runner at work on it.
    public var claim: Claim?
    /// The provider write that was or may have been sent and is not yet settled.
    public var intent: Intent?
    /// All tags that mint intents of this rotation carried, oldest first; what bears one of them is ours.
    public var tags: [String]
    /// Secrets found at the provider that are ours and of no use, to be removed next.
    public var orphans: [SecretID]
    /// When the newest mint was declared.
    public var mintDeclaredAt: ClockReading?
    /// When the provider confirmed the newest mint.
    public var mintedAt: ClockReading?
    /// When traffic last moved, in either direction.
    public var switchedAt: ClockReading?
    /// When the old secret was turned off, or may have been; `nil` once it is on again.
    public var deactivatedAt: ClockReading?
    /// When the old secret was turned on again on the way back.
    public var reactivatedAt: ClockReading?
    /// The newest deactivation of the old secret that was declared and never answered: it may still take effect.
    public var lostDeactivation: Intent?
    /// Whether a person was asked to delete the old secret, so that it may be gone at any moment.
    public var deletionWasAsked: Bool
    /// Whether the primary was found dead while it was the way back, so that going forward is the rescue.
    public var primaryIsDead: Bool
    /// The secret that was turned off because the provider removes only what is off.
    public var turnedOff: SecretID?
    /// When the secret on its way out was confirmed gone.
    public var removedAt: ClockReading?
    /// The newest accepted exchange with the active secret.
    public var activeAcceptedAt: ClockReading?
    /// When the provider's fuse lets the older secrets expire, by the provider's clock.
    public var fuse: Timestamp?
    /// Since when the fuse may be burning, by the clocks here.
    public var fuseLitAt: ClockReading?
    /// How long it burns.
    public var fuseSpan: TimeSpan?
    /// Consumers that an admin said not to wait for.
    public var acceptedUndrained: [ConsumerName]
    /// How each announcement of the present generation went.
    public var deliveries: [DeliveryResult]
    /// What the next step waits for, while no process is at work.
    public var waiting: Waiting?
    /// Why a person is needed, in the stage `needsAttention`.
    public var attention: Attention?
    /// Whether an abort was asked for and the way back has still to begin.
    public var isAborting: Bool
    /// Failures of the present step in a row.
    public var failures: Int
    /// What was observed, newest last, at most ``evidenceLimit``.
    public var evidence: [Evidence]

    /// How many observations are kept.
    public static let evidenceLimit = 50

    /// A rotation in its first stage.
    public init(
        id: UUIDv7, strategy: StrategyName, startedAt: ClockReading, startedBy: Actor, reason: String?,
        compromised: SlotName?
    ) {
        self.id = id
        self.strategy = strategy
        stage = .minting
        self.startedAt = startedAt
        self.startedBy = startedBy
        self.reason = reason
        enteredAt = startedAt
        self.compromised = compromised
        tags = []
        orphans = []
        deletionWasAsked = false
        primaryIsDead = false
        acceptedUndrained = []
        deliveries = []
        isAborting = false
        failures = 0
        evidence = []
    }
}

/// How a rotation ended.
public struct RotationSummary: Codable, Equatable, Sendable {
    /// Its id.
    public var id: UUIDv7
    /// How it was carried out.
    public var strategy: StrategyName
    /// `completed`, `rolledBack`, `needsAttention` where it was settled, or the stage in which a recovery found it stale.
    public var outcome: Stage
    /// When it began.
    public var startedAt: Timestamp
    /// When it ended.
    public var endedAt: Timestamp
    /// Why it was begun.
    public var reason: String?

    /// The end of a rotation.
    public init(
        id: UUIDv7, strategy: StrategyName, outcome: Stage, startedAt: Timestamp, endedAt: Timestamp, reason: String?
    ) {
        self.id = id
        self.strategy = strategy
        self.outcome = outcome
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.reason = reason
    }
}

/// Which runner may send provider writes for a rotation, and until when.
public struct Claim: Codable, Hashable, Sendable {
    /// A random word that the runner made for itself.
    public var nonce: String
    /// The host it runs on.
    public var host: String
    /// When the claim was stored or last renewed.
    public var at: ClockReading
    /// How long after `at` the runner may still send.
    public var term: TimeSpan

    /// A claim of a runner.
    public init(nonce: String, host: String, at: ClockReading, term: TimeSpan) {
        self.nonce = nonce
        self.host = host
        self.at = at
        self.term = term
    }
}

/// A provider write, stored before it is sent.
public struct Intent: Codable, Hashable, Sendable {
    /// What is to be written.
    public enum Write: Hashable, Sendable {
        /// Add a secret that bears this tag.
        case add(tag: String)
        /// Remove a secret for good.
        case remove(SecretID)
        /// Turn a secret off.
        case deactivate(SecretID)
        /// Turn a secret on again.
        case reactivate(SecretID)
    }

    /// What is to be written.
    public var write: Write
    /// When it was made, just before it was stored.
    public var declaredAt: ClockReading
    /// How long after `declaredAt` it may still be sent: the term of the claim it was stored under.
    public var term: TimeSpan

    /// An intent to write.
    public init(_ write: Write, declaredAt: ClockReading, term: TimeSpan) {
        self.write = write
        self.declaredAt = declaredAt
        self.term = term
    }
}

extension Intent.Write {
    /// The secret concerned, where there is one already.
    public var secretID: SecretID? {
        switch self {
        case .add: nil
        case .remove(let id), .deactivate(let id), .reactivate(let id): id
        }
    }

    /// Whether it ends the use of a secret.
    public var takesAway: Bool {
        switch self {
        case .remove, .deactivate: true
        case .add, .reactivate: false
        }
    }
}

extension Intent.Write: Codable {
    private enum CodingKeys: String, CodingKey { case kind, tag, secretID }
    private enum Kind: String, Codable { case add, remove, deactivate, reactivate }

    /// Reads `{"kind": ..., "tag" or "secretID": ...}`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(Kind.self, forKey: .kind) {
        case .add: self = .add(tag: try container.decode(String.self, forKey: .tag))
        case .remove: self = .remove(try container.decode(SecretID.self, forKey: .secretID))
        case .deactivate: self = .deactivate(try container.decode(SecretID.self, forKey: .secretID))
        case .reactivate: self = .reactivate(try container.decode(SecretID.self, forKey: .secretID))
        }
    }

    /// Writes the kind beside what it concerns.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .add(let tag):
            try container.encode(Kind.add, forKey: .kind)
            try container.encode(tag, forKey: .tag)
        case .remove(let id):
            try container.encode(Kind.remove, forKey: .kind)
            try container.encode(id, forKey: .secretID)
        case .deactivate(let id):
            try container.encode(Kind.deactivate, forKey: .kind)
            try container.encode(id, forKey: .secretID)
        case .reactivate(let id):
            try container.encode(Kind.reactivate, forKey: .kind)
            try container.encode(id, forKey: .secretID)
        }
    }
}

/// How the announcement of a generation to one target went.
public struct DeliveryResult: Codable, Equatable, Sendable {
    /// The target.
    public var target: DeliveryTarget
    /// The generation announced.
    public var generation: UInt64
    /// When it was tried last.
    public var at: Timestamp
    /// What went wrong; `nil` for success.
    public var failure: String?

    /// A result of a delivery.
    public init(target: DeliveryTarget, generation: UInt64, at: Timestamp, failure: String?) {
        self.target = target
        self.generation = generation
        self.at = at
        self.failure = failure
    }
}

public import KeyoverCore

/// Everything outside of the engine that it works with; the composition root and the simulator each fill it in.
public struct EngineParts: Sendable {
    /// Where records live.
    public var vault: any Vault
    /// How secrets are tried.
    public var exchanger: any TokenExchanging
    /// The adapter of a tenant; throws when the tenant is not there or its kind is not registered.
    public var provider: @Sendable (TenantName) async throws -> any Provider
    /// The audit log.
    public var audit: any AuditSink
    /// The clocks.
    public var clock: any EngineClock
    /// Random bytes.
    public var randomness: any Randomness
    /// Who is alive on this host.
    public var presence: any RunnerPresence
    /// The deliveries by kind.
    public var deliveries: [String: any Delivery]
    /// Deliveries that are made for every client, besides its own.
    public var standingDeliveries: [DeliveryTarget] = []
    /// What the policy demands of a client's rotations.
    public var policy: @Sendable (ClientRecord) -> RotationPolicy
    /// When traffic may move.
    public var calendar: any RotationCalendar
    /// Who acts.
    public var actor: Actor
    /// How long after storing a claim a provider write may be sent.
    public var claimTerm: TimeSpan
    /// How somebody can ask the engine to stop; `nil` when nobody can.
    public var interruption: Interruption?
    /// Hears what happens while it happens.
    public var progress: @Sendable (RotationProgress) -> Void

    /// The parts an engine works with.
    public init(
        vault: any Vault, exchanger: any TokenExchanging,
        provider: @escaping @Sendable (TenantName) async throws -> any Provider, audit: any AuditSink,
        clock: any EngineClock, randomness: any Randomness, presence: any RunnerPresence,
        deliveries: [String: any Delivery] = [:],
        policy: @escaping @Sendable (ClientRecord) -> RotationPolicy = { _ in RotationPolicy() },
        calendar: any RotationCalendar = AlwaysOpen(), actor: Actor, claimTerm: TimeSpan = .seconds(30),
        interruption: Interruption? = nil, progress: @escaping @Sendable (RotationProgress) -> Void = { _ in }
    ) {
        self.vault = vault
        self.exchanger = exchanger
        self.provider = provider
        self.audit = audit
        self.clock = clock
        self.randomness = randomness
        self.presence = presence
        self.deliveries = deliveries
        self.policy = policy
        self.calendar = calendar
        self.actor = actor
        self.claimTerm = claimTerm
        self.interruption = interruption
        self.progress = progress
    }
}

/// What a run tells while it goes on.
public enum RotationProgress: Sendable {
    /// A stage was entered.
    case stage(Stage, ClientName)
    /// So many of the demanded exchanges in a row went as hoped.
    case exchanges(done: Int, of: Int, ClientName)
    /// A wait began.
    case waiting(Waiting, ClientName)
    /// Another runner's claim has to run out first.
    case waitingForClaim(TimeSpan, ClientName)
}

extension RotationMachine {
    /// What the machine is told.
    public enum Event: Sendable {
        /// Somebody wants something.
        case order(Order)
        /// An effect has ended, or a person reports.
        case observation(Observation)
    }

    /// What people and runners want; it can be said in any stage.
    public enum Order: Sendable {
        /// Go on: a runner takes the rotation up, or a wait is over.
        case resumed
        /// Go back.
        case aborted
        /// This slot has leaked.
        case compromised(SlotName)
        /// End here with the active secret, which was just verified live.
        case settled
        /// Do not wait for these consumers.
        case drainAccepted([ConsumerName])
    }

    /// What was seen; each effect ends in exactly one of these.
    public enum Observation: Sendable {
        /// The provider's list of the client's secrets.
        case listed([ListedSecret])
        /// How a provider write went.
        case written(WriteResult)
        /// Whether the vault gave back what was minted.
        case readBack(Bool)
        /// What exchanges with a secret showed.
        case probed(Probe)
        /// How each announcement went.
        case delivered([DeliveryResult])
        /// What the drain gate needs to know.
        case gate(GateObservation)
        /// A person supplied the secondary.
        case supplied(MintedSecret, Fingerprint)
        /// A person says that the secret on its way out was deleted.
        case reportedDeleted
        /// The effect could not be carried out, and nothing was changed.
        case unavailable(Trouble)
    }

    /// How a provider write went.
    public enum WriteResult: Sendable {
        /// A secret was added.
        case minted(MintedSecret, Fingerprint)
        /// The provider confirmed, or the state wanted was found to be there.
        case done
        /// The provider refused and changed nothing.
        case refused(FailureClass, String)
        /// The answer was lost: it may have been done.
        case lost(String)
    }

    /// What a row of exchanges with one secret showed.
    public enum Probe: Sendable {
        /// Accepted as often as demanded.
        case accepted([Evidence])
        /// Refused beyond doubt and beyond the propagation bound.
        case refused(String, [Evidence])
        /// Accepted, but the grant breaks the policy or the canary failed.
        case unacceptable(String)
        /// Nothing can be said now.
        case inconclusive(Trouble)
    }

    /// Something that stood in the way and may pass.
    public struct Trouble: Sendable {
        /// What it was.
        public var message: String
        /// When the server asked to be called again.
        public var retryAfter: TimeSpan?
        /// Whether only a person can mend it.
        public var needsPerson: Bool

        /// Something that stood in the way.
        public init(_ message: String, retryAfter: TimeSpan? = nil, needsPerson: Bool = false) {
            self.message = message
            self.retryAfter = retryAfter
            self.needsPerson = needsPerson
        }
    }

    /// What the engine is to do once the record is stored.
    public enum Effect: Sendable, Equatable {
        /// List the client's secrets before one is added.
        case countSlots
        /// Send this provider write under the claim just stored.
        case send(Intent)
        /// List the client's secrets to find what a lost mint left behind.
        case search
        /// Read the record again and compare the secondary with what was minted.
        case readBack
        /// Prove by exchanges that the secret of a slot works.
        case verify(SlotName)
        /// One exchange with the active secret, before something is taken away.
        case checkActive
        /// Announce the generation.
        case deliver
        /// Collect what the drain gate needs.
        case observeGate
        /// Prove by exchanges that the secret of a slot is dead.
        case prove(SlotName)
        /// List the client's secrets once more to find leftovers.
        case sweep
        /// Wait for a person; the process ends.
        case ask(ManualStep)
        /// Look again after a while; the process may end meanwhile.
        case wait(TimeSpan)
        /// Nothing more to do now.
        case finish(Outcome)
    }

    /// How a run of the engine ends.
    public enum Outcome: String, Sendable, Equatable {
        /// The secondary has become the primary.
        case completed
        /// All is as before.
        case rolledBack
        /// Ended by a person where it stood.
        case settled
        /// A person is needed.
        case needsAttention
        /// The stage asked for was reached.
        case reachedStage
    }

    /// A stored record and what is to be done about it.
    public struct Step: Sendable {
        /// The record to store.
        public var record: ClientRecord
        /// What to do once it is stored.
        public var effect: Effect
    }

    /// What a transition depends on besides record and event.
    public struct Context: Sendable {
        /// The strategy of the rotation.
        public var strategy: any Strategy
        /// What the provider can do.
        public var capabilities: Capabilities
        /// What the policy demands.
        public var policy: RotationPolicy
        /// When traffic may move and secrets may be removed.
        public var calendar: any RotationCalendar
        /// Both clocks, read after the observation was made.
        public var now: ClockReading
        /// Who acts.
        public var actor: Actor
        /// How long after a claim was stored a provider write may still be sent under it.
        public var claimTerm: TimeSpan
        /// A fresh tag for a mint, never used before.
        public var freshTag: String
        /// The stage after which to stop.
        public var until: Stage?

        /// The context of one transition.
        public init(
            strategy: any Strategy, capabilities: Capabilities, policy: RotationPolicy,
            calendar: any RotationCalendar, now: ClockReading, actor: Actor, claimTerm: TimeSpan, freshTag: String,
            until: Stage? = nil
        ) {
            self.strategy = strategy
            self.capabilities = capabilities
            self.policy = policy
            self.calendar = calendar
            self.now = now
            self.actor = actor
            self.claimTerm = claimTerm
            self.freshTag = freshTag
            self.until = until
        }
    }
}

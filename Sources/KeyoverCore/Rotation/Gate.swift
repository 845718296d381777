/// What was seen when the drain gate was looked at.
public struct GateObservation: Sendable {
    /// What the consumers reported.
    public var ledger: [LedgerEntry]
    /// The provider's word on the newest use of the secret on its way out, by the provider's clock.
    public var lastUse: Timestamp?
    /// One exchange with the active secret.
    public var active: RotationMachine.Probe

    /// What was seen.
    public init(ledger: [LedgerEntry], lastUse: Timestamp?, active: RotationMachine.Probe) {
        self.ledger = ledger
        self.lastUse = lastUse
        self.active = active
    }
}

/// The drain gate: whether anybody may still be using the secret that traffic was moved away from.
struct Gate {
    /// The gate's answer.
    enum Verdict: Equatable {
        /// Nobody can be using it.
        case open
        /// Somebody may be; look again after a while.
        case closed(why: String, lookAgain: TimeSpan)
        /// The maximum overlap is over and somebody has still not moved.
        case undrained(String)
    }

    /// How often the gate is looked at while nothing but consumers keeps it closed.
    static let interval = TimeSpan.seconds(15)

    /// The name under which an admin accepts that somebody who is no registered consumer still uses the old secret.
    static let unregistered = "unregistered"

    let rotation: Rotation
    let generation: UInt64
    let policy: RotationPolicy
    let consumerCache: TimeSpan
    let now: ClockReading

    /// Every condition in turn; the first that does not hold closes the gate.
    func verdict(_ observation: GateObservation) -> Verdict {
        guard let switched = rotation.switchedAt else { return .open }
        // Counted from when the switch was known to be stored: until then readers were still given the old secret.
        let moved = rotation.enteredAt
        if rotation.compromised != nil { return .open }
        if fuseHasBlown { return .open }
        let overlap = max(consumerCache, policy.minimumOverlap)
        let remaining = moved.remaining(of: overlap, at: now)
        let stragglers = self.stragglers(observation.ledger)
        let isOverdue = now.elapsedAtMost(since: moved) >= max(policy.maximumOverlap, overlap)
        if !stragglers.isEmpty {
            let names = stragglers.map(\.description).joined(separator: ", ")
            if isOverdue { return .undrained("not moved to generation \(generation): \(names)") }
            return .closed(why: "not moved yet: \(names)", lookAgain: max(Self.interval, remaining))
        }
        if let failed = rotation.deliveries.first(where: { $0.failure != nil }) {
            if isOverdue { return .undrained("delivery to \(failed.target.kind) keeps failing") }
            return .closed(why: "a delivery has failed", lookAgain: Self.interval)
        }
        if remaining > .zero {
            return .closed(why: "readers may keep the old secret for \(overlap)", lookAgain: remaining)
        }
        if let use = observation.lastUse, use > switched.wall, !accepts(Self.unregistered) {
            let quiet = max(consumerCache, .seconds(1)) - (now.wall - use)
            if quiet > .zero {
                if isOverdue { return .undrained("\(Self.unregistered): the old secret was used at \(use)") }
                // A clock that was set back makes the quiet seem far off.
                let lookAgain = min(max(quiet, .seconds(1)), max(consumerCache, Self.interval))
                return .closed(why: "the old secret was used at \(use)", lookAgain: lookAgain)
            }
        }
        return .open
    }

    /// Whether the old secret has surely expired by itself, so that there is nobody left to wait for.
    private var fuseHasBlown: Bool {
        guard let span = rotation.fuseSpan, let minted = rotation.mintedAt, !rotation.stage.isRollingBack else {
            return false
        }
        return minted.remaining(of: span, at: now) == .zero
    }

    private func stragglers(_ ledger: [LedgerEntry]) -> [ConsumerName] {
        ledger.filter { entry in
            entry.isLive(at: now) && entry.generation < generation
                && !accepts(entry.consumer.description)
        }
        .map(\.consumer)
    }

    private func accepts(_ consumer: String) -> Bool {
        rotation.acceptedUndrained.contains { $0.description == consumer }
    }
}

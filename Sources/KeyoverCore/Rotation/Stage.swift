/// Where a rotation is; it is in exactly one stage.
///
/// The diagram is in `RotationMachine.swift`.
public enum Stage: String, Codable, CaseIterable, Sendable {
    /// A secondary is being made at the provider.
    case minting
    /// The secondary is stored and is being read back.
    case staged
    /// The secondary is being proven with live exchanges; traffic is still on the primary.
    case verifying
    /// Traffic has moved to the secondary and is being announced.
    case cutOver
    /// Waiting until nobody can be using the primary any more.
    case draining
    /// The primary is being turned off reversibly.
    case deactivating
    /// The primary is off; waiting for somebody to complain.
    case soaking
    /// The primary is being removed for good.
    case retiring
    /// The primary is being proven dead.
    case proving
    /// Final: the secondary has become the primary.
    case completed

    /// Rolling back: the primary is being proven to work before traffic returns to it.
    case precheck
    /// Rolling back: traffic has returned to the primary and is being announced.
    case switchBack
    /// Rolling back: waiting until nobody can be using the secondary any more.
    case drainBack
    /// Rolling back: the secondary is being removed.
    case removing
    /// Rolling back: the secondary is being proven dead.
    case provingRemoved
    /// Final: all is as before the rotation.
    case rolledBack

    /// Stopped for a person.
    case needsAttention

    /// Whether the rotation is over.
    public var isFinal: Bool { self == .completed || self == .rolledBack }

    /// Whether the stage is on the way back.
    public var isRollingBack: Bool {
        switch self {
        case .precheck, .switchBack, .drainBack, .removing, .provingRemoved, .rolledBack: true
        case .minting, .staged, .verifying, .cutOver, .draining, .deactivating, .soaking, .retiring, .proving,
            .completed, .needsAttention:
            false
        }
    }
}

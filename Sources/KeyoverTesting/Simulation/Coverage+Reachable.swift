public import KeyoverCore

extension Coverage {
    /// The cells that many seeds must reach, or the simulator has lost its teeth.
    public static func reachable(_ strategy: any Strategy) -> [Cell] {
        Fault.allCases.flatMap { fault in
            stages(of: fault, strategy).map { Cell(strategy.name, $0, fault) }
        }
    }

    /// Those of them that were never hit.
    public func missing(_ strategy: any Strategy) -> [Cell] {
        Self.reachable(strategy).filter { counts[$0] == nil }
    }

    private static func stages(of fault: Fault, _ strategy: any Strategy) -> [Stage] {
        var most = Capabilities(maxSecrets: 2)
        most.reversibleDeactivate = true
        let isByCalls = strategy.provision == .calls
        let forward = strategy.path(most)
        let everywhere = forward + [.precheck, .switchBack, .drainBack, .removing, .provingRemoved, .rolledBack]
        let waits: [Stage] = [.verifying, .draining, .proving, .precheck, .drainBack, .provingRemoved]
        let writes: [Stage] = isByCalls ? [.minting, .deactivating, .retiring, .precheck, .removing] : []
        switch fault {
        case .adminEdit, .vaultSilentBefore, .vaultSilentAfter, .crashBeforeStore, .crashAfterStore, .auditFailed:
            return isByCalls ? everywhere : everywhere.filter { $0 != .completed && $0 != .rolledBack }
        case .auditSilent, .reboot, .secondRunner, .wallJump, .falseComplaint, .straggler:
            return [.minting, .verifying, .draining, .proving]
        case .stopped, .interrupted, .crashAsleep, .exchangeFailed: return waits
        case .crashBeforeCommit, .crashAfterCommit, .throttled, .refusedOddly, .answerLost, .requestLost,
            .commitDelayed:
            return writes
        case .listFailed, .listLagging: return isByCalls ? [.minting, .completed, .rolledBack] : []
        case .flapping: return isByCalls ? writes : [.minting, .retiring, .removing]
        case .deliveryFailed: return [.cutOver, .switchBack]
        case .valueMangled: return [.staged]
        case .personErrs: return isByCalls ? [] : [.minting, .retiring, .removing]
        case .machineLost: return isByCalls ? [.draining] : []
        case .meddling: return [.minting, .draining]
        }
    }
}

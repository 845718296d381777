internal import KeyoverCore
internal import KeyoverEngine

/// The provider's administrative interface as one process sees it.
struct SimulatedProvider: SecretAdding, SecretRemoving, SecretDeactivating, UsageReporting {
    static let kind = "simulated"
    let simulation: Simulation
    let process: SimulatedProcess

    var capabilities: Capabilities { simulation.scenario.capabilities }
    var tokenURL: String? { "https://provider.example/token" }

    func instructions(for step: ManualStep, client: ClientReference) -> [String] { [] }

    func secrets(of client: ClientReference) async throws(ProviderError) -> [ListedSecret] {
        try await arrive()
        if simulation.strikes(.listFailed) {
            throw ProviderError(.transient, effect: .none, "the list did not come")
        }
        let now = simulation.now
        let replica = simulation.strikes(.listLagging) ? simulation.generator.below(simulation.scenario.replicas) : nil
        let listed = simulation.server.secrets.compactMap { secret -> ListedSecret? in
            let state = replica.map { secret.state(at: $0, now) } ?? secret.truth(at: now)
            guard state != .absent else { return nil }
            let showsTag = capabilities.mintRepair == .removeTagged
            return ListedSecret(id: secret.id, tag: showsTag ? secret.tag : nil, isActive: state == .active)
        }
        await simulation.pass(simulation.generator.within(1...40), process)
        return listed
    }

    func addSecret(
        to client: ClientReference, tag: String, permit: WritePermit
    ) async throws(ProviderError) -> MintedSecret {
        guard let id = try await write(.add(tag: tag), permit), let secret = simulation.server.secret(id) else {
            throw ProviderError(.unknown, effect: .unknown, "the answer makes no sense")
        }
        let fuse = capabilities.addStartsFuse.map { fuse in
            Timestamp(millisecondsSinceEpoch: SimulatedHost.epoch + (secret.versions.first?.committedAt ?? 0)) + fuse
        }
        return MintedSecret(id: secret.id, value: secret.value, fuse: fuse)
    }

    func removeSecret(_ id: SecretID, of client: ClientReference, permit: WritePermit) async throws(ProviderError) {
        _ = try await write(.remove(id), permit)
    }

    func deactivateSecret(_ id: SecretID, of client: ClientReference, permit: WritePermit) async throws(ProviderError) {
        _ = try await write(.deactivate(id), permit)
    }

    func reactivateSecret(_ id: SecretID, of client: ClientReference, permit: WritePermit) async throws(ProviderError) {
        _ = try await write(.reactivate(id), permit)
    }

    func lastUse(of client: ClientReference) async throws(ProviderError) -> [SecretID: Timestamp] {
        try await arrive()
        guard capabilities.evidence == .perSecret else { return [:] }
        var result: [SecretID: Timestamp] = [:]
        for secret in simulation.server.secrets {
            result[secret.id] = secret.lastUse.map { Timestamp(millisecondsSinceEpoch: SimulatedHost.epoch + $0) }
        }
        return result
    }

    // MARK: Writes

    /// What became of a request once it had left.
    private final class Request {
        var outcome: Result<SecretID?, ProviderError>?
    }

    private func write(_ write: Intent.Write, _ permit: WritePermit) async throws(ProviderError) -> SecretID? {
        try await arrive()
        if simulation.strikes(.throttled) {
            let after: TimeSpan? = simulation.generator.chance(500) ? .seconds(simulation.generator.pick([1, 7])) : nil
            throw ProviderError(.rateLimited(retryAfter: after), effect: .none, "too many requests")
        }
        if simulation.strikes(.refusedOddly) {
            let failure = simulation.generator.pick([FailureClass.unknown, .scopeInsufficient, .clockSkew])
            throw ProviderError(failure, effect: .none, "refused with an odd code")
        }
        try permit.check()
        simulation.sent(write, by: process)
        let request = Request()
        var delay = simulation.generator.within(1...80)
        let dies = simulation.strikes(.crashBeforeCommit)
        if simulation.strikes(.commitDelayed) || dies && simulation.generator.chance(500) {
            let bound = capabilities.commitDelay.milliseconds
            delay = simulation.generator.chance(500) ? bound : simulation.generator.within(1...bound)
        }
        if simulation.strikes(.requestLost) {
            delay = .max / 2
        } else {
            simulation.after(delay) { [simulation] in request.outcome = simulation.carryOut(write) }
        }
        if dies { await die() }
        // A caller gives up after 30 seconds; the request goes its way.
        await simulation.pass(min(delay, 29_960) + simulation.generator.within(1...40), process)
        if simulation.strikes(.crashAfterCommit) { await die() }
        guard let outcome = request.outcome, !simulation.strikes(.answerLost) else {
            throw ProviderError(.transient, effect: .unknown, "the answer was lost")
        }
        return try outcome.get()
    }

    private func arrive() async throws(ProviderError) {
        await simulation.pass(simulation.generator.within(1...40), process)
        if simulation.isOver { throw ProviderError(.transient, effect: .unknown, "the simulation is over") }
    }

    private func die() async {
        simulation.crash(process)
        await simulation.pass(0, process)
    }
}

/// The provider of a manual rotation: a token endpoint and a console that only people can use.
struct SimulatedConsole: Provider {
    static let kind = "simulated-console"
    let capabilities: Capabilities
    let tokenURL: String? = "https://provider.example/token"

    func instructions(for step: ManualStep, client: ClientReference) -> [String] { [] }
}

extension Simulation {
    /// A request left for the provider; from here on it takes place whatever becomes of its sender.
    func sent(_ write: Intent.Write, by process: SimulatedProcess) {
        happened("\(process) sent \(write)")
        for checker in checkers { checker.sent(write, by: process, in: self) }
    }

    /// The provider commits a request, or refuses it.
    func carryOut(_ write: Intent.Write) -> Result<SecretID?, ProviderError> {
        switch write {
        case .add(let tag):
            guard server.existing(at: now).count < scenario.capabilities.maxSecrets else {
                return refuse(.quotaFull, "all slots are taken")
            }
            return .success(makeSecret(.keyover, tag: tag).id)
        case .remove(let id):
            guard let secret = server.secret(id), secret.truth(at: now) != .absent else {
                return refuse(.notFound, "there is no \(id)")
            }
            if scenario.capabilities.deactivateBeforeDelete, secret.truth(at: now) == .active {
                return refuse(.unknown, "\(id) is still active")
            }
            if scenario.capabilities.lastSecretGuard, isLastActive(secret) {
                return refuse(.lastSecret, "\(id) is the last secret")
            }
            changeSecret(secret, to: .absent)
        case .deactivate(let id):
            guard let secret = server.secret(id), secret.truth(at: now) != .absent else {
                return refuse(.notFound, "there is no \(id)")
            }
            if scenario.capabilities.lastSecretGuard, isLastActive(secret) {
                return refuse(.lastSecret, "\(id) is the last secret")
            }
            if secret.truth(at: now) == .active { changeSecret(secret, to: .inactive) }
        case .reactivate(let id):
            guard let secret = server.secret(id), secret.truth(at: now) != .absent else {
                return refuse(.notFound, "there is no \(id)")
            }
            if secret.truth(at: now) == .inactive { changeSecret(secret, to: .active) }
        }
        return .success(nil)
    }

    private func refuse(_ failure: FailureClass, _ message: String) -> Result<SecretID?, ProviderError> {
        happened("provider refuses: \(message)")
        return .failure(ProviderError(failure, effect: .none, message))
    }

    private func isLastActive(_ secret: SimulatedServer.Secret) -> Bool {
        !server.secrets.contains { $0 !== secret && $0.truth(at: now) == .active }
    }
}

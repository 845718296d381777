import KeyoverCore

/// Tries secrets with live exchanges and weighs refusals against controls.
struct Prober {
    let parts: EngineParts
    let record: ClientRecord
    let provider: any Provider

    /// What one exchange with the secret of a slot shows; controls are heard only when it was refused.
    func probeOnce(_ slot: SlotName) async -> RotationMachine.Probe {
        guard let filled = record[slot], let value = filled.value else {
            return .inconclusive(RotationMachine.Trouble("the \(slot) slot of \(record.name) holds no value"))
        }
        // Evidence is dated before the exchange: a process that is stopped in it must not take its answer for fresh.
        let now = parts.clock.now()
        let (verdict, grant, retryAfter) = await judge(value, clientID: filled.clientID, good: goodControl(for: slot))
        switch verdict {
        case .accepted:
            if let objection = grant.flatMap(objection) { return .unacceptable(objection) }
            return .accepted([Evidence(.accepted, slot: slot, secretID: filled.secretID, at: now)])
        case .refused:
            return .refused(
                "the \(slot) secret of \(record.name) is refused",
                [Evidence(.refused, slot: slot, secretID: filled.secretID, at: now)])
        case .inconclusive(let why):
            return .inconclusive(RotationMachine.Trouble(why, retryAfter: retryAfter))
        }
    }

    /// A slot whose secret should be accepted while another one is judged.
    func goodControl(for slot: SlotName) -> Slot? {
        record[slot.other]
    }

    /// One exchange and, where it was refused and the provider allows it, the two controls.
    func judge(
        _ value: SecretValue, clientID: String, good: Slot?
    ) async -> (verdict: ProbeVerdict, grant: TokenGrant?, retryAfter: TimeSpan?) {
        let (outcome, grant, retryAfter) = await exchange(value, clientID: clientID)
        guard case .answered = outcome, !provider.capabilities.locksOut else {
            return (ProbeVerdict(probe: outcome, random: nil, good: nil), grant, retryAfter)
        }
        let random = await exchange(control(like: value), clientID: clientID).outcome
        var goodOutcome: ProbeVerdict.Outcome?
        if let good, let goodValue = good.value {
            goodOutcome = await exchange(goodValue, clientID: good.clientID).outcome
        }
        return (ProbeVerdict(probe: outcome, random: random, good: goodOutcome), nil, retryAfter)
    }

    /// Whether a random secret of the same form is answered in this shape, as a refused one is.
    ///
    /// All that can be asked while no secret is known to be good; a client that is turned off answers alike too.
    func answers(_ shape: AnswerShape, toSecretsLike value: SecretValue, clientID: String) async -> Bool {
        guard case .answered(let random, _) = await exchange(control(like: value), clientID: clientID).outcome else {
            return false
        }
        return random == shape
    }

    /// One exchange, reduced to its outcome.
    func exchange(
        _ value: SecretValue, clientID: String
    ) async -> (outcome: ProbeVerdict.Outcome, grant: TokenGrant?, retryAfter: TimeSpan?) {
        guard let tokenURL = record.registration.tokenURL ?? provider.tokenURL else {
            return (.noAnswer("\(record.name) has no token endpoint"), nil, nil)
        }
        let request = ExchangeRequest(
            tokenURL: tokenURL, clientID: clientID, secret: value,
            authentication: record.registration.authentication, scopes: record.registration.scopes)
        do {
            let grant = try await parts.exchanger.exchange(request)
            await dispose(of: grant, clientID: clientID, secret: value)
            return (.granted, grant, nil)
        } catch {
            var retryAfter: TimeSpan?
            if case .rateLimited(let after) = error.failure { retryAfter = after }
            return (ProbeVerdict.Outcome(error), nil, retryAfter)
        }
    }

    /// Ends a probe's token where live tokens are capped and nothing is to be called with it any more.
    private func dispose(of grant: TokenGrant, clientID: String, secret: SecretValue) async {
        guard provider.capabilities.liveTokenCap != nil, let revoking = ProviderPowers(provider).revoking else {
            return
        }
        guard record.registration.canaryURL == nil else { return }
        // A token that cannot be ended now ends by itself; that is no verdict on the secret.
        try? await revoking.revoke(
            grant, of: ClientReference(name: record.name, clientID: clientID), secret: secret)
    }

    /// A random secret of the same length and the same kinds of characters.
    private func control(like value: SecretValue) -> SecretValue {
        let random = parts.randomness.bytes(value.count)
        return SecretValue(count: value.count) { buffer in
            value.withUnsafeSecretBytes { original in
                for index in 0..<original.count {
                    let pick = random[index]
                    buffer[index] =
                        switch original[index] {
                        case 48...57: 48 + pick % 10
                        case 65...90: 65 + pick % 26
                        case 97...122: 97 + pick % 26
                        default: original[index]
                        }
                }
            }
        }
    }

    /// Why a grant must not carry traffic: it lacks a scope that was asked for or exceeds the policy.
    func objection(to grant: TokenGrant) -> String? {
        let policy = parts.policy(record)
        let granted = grant.scopes ?? record.registration.scopes
        let missing = record.registration.scopes.filter { !granted.contains($0) }
        if !missing.isEmpty { return "the grant lacks the scope \(missing.joined(separator: ", "))" }
        guard let allowed = policy.allowedScopes else { return nil }
        let excess = granted.filter { !allowed.contains($0) }
        return excess.isEmpty ? nil : "the grant exceeds the policy: \(excess.joined(separator: ", "))"
    }
}

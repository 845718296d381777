import KeyoverCore

/// Rows of exchanges that span the propagation bound: the proof that a secret works, and the proof that one is dead.
extension RotationRunner {
    var demanded: Int {
        parts.policy(record).verifyingExchanges ?? provider.capabilities.verifyingExchanges
    }

    /// Accepted exchanges in a row on fresh connections, the last one beyond the propagation bound, then the canary.
    ///
    /// Inside the bound a refusal only means that the secret has not arrived everywhere. Beyond it, as many refusals
    /// in a row as acceptances are demanded, each against controls, count as refused.
    mutating func verify(_ slot: SlotName) async throws -> RotationMachine.Probe {
        guard let filled = record[slot], let value = filled.value else {
            return .inconclusive(RotationMachine.Trouble("the \(slot) slot of \(record.name) holds no value"))
        }
        let prober = prober()
        let arrival = slot == .secondary ? record.rotation?.mintedAt : record.rotation?.reactivatedAt
        var row = Row(demanded: demanded)
        if provider.capabilities.locksOut, let arrival {
            // A replica that has not heard of the secret would count it as a wrong one.
            try await rest(for: missing(since: arrival, at: parts.clock.now()))
        }
        let began = parts.clock.now()
        let patience = parts.policy(record).verificationPatience + provider.capabilities.propagationBound
        while true {
            // Dated before the exchange: one that was slow or stopped may have been answered inside the bound.
            let now = parts.clock.now()
            let (outcome, grant, retryAfter) = await prober.exchange(value, clientID: filled.clientID)
            let hasArrived = arrival.map { missing(since: $0, at: now) == .zero } ?? true
            switch outcome {
            case .granted:
                if let objection = grant.flatMap(prober.objection) { return .unacceptable(objection) }
                row.hit(Evidence(.accepted, slot: slot, secretID: filled.secretID, at: now))
                parts.progress(.exchanges(done: min(row.hits, demanded), of: demanded, record.name))
                if row.isFull, hasArrived { return await canary(slot, grant, row.evidence) }
            case .answered(let shape, _):
                row.miss("answered \(shape.status)")
                guard hasArrived else { break }
                if provider.capabilities.locksOut { return .inconclusive(uncontrolled(slot)) }
                switch await judge(slot, filled, value, answered: shape, prober) {
                case .accepted: row.calm()
                case .refused:
                    row.refuse()
                    if row.refusals >= demanded { return refused(slot) }
                case .inconclusive(let why):
                    row.miss(why)
                    row.calm()
                }
            case .noAnswer(let why):
                row.miss(why)
                row.calm()
            }
            if now.elapsedAtLeast(since: began) > patience, !row.isFull, row.refusals == 0 {
                return .inconclusive(RotationMachine.Trouble(row.trouble, retryAfter: retryAfter))
            }
            try await rest(hasArrived ? .zero : arrival.map { missing(since: $0, at: now) } ?? .zero, row, retryAfter)
        }
    }

    /// Refusals in a row against controls, the last one beyond the propagation bound of the removal.
    ///
    /// Where wrong secrets may lock the client out, the provider's list is the proof instead.
    mutating func prove(_ slot: SlotName) async throws -> RotationMachine.Probe {
        guard let filled = record[slot], let value = filled.value else { return .refused("no value is left", []) }
        let removed = record.rotation?.removedAt ?? parts.clock.now()
        let prober = prober()
        var row = Row(demanded: demanded)
        let began = parts.clock.now()
        let patience = parts.policy(record).verificationPatience + provider.capabilities.propagationBound
        while true {
            let now = parts.clock.now()
            if provider.capabilities.locksOut, !canList(filled) { return .inconclusive(unprovable(slot)) }
            let verdict =
                provider.capabilities.locksOut
                ? await listedGone(filled)
                : await prober.judge(value, clientID: filled.clientID, good: record[slot.other]).verdict
            let left = missing(since: removed, at: now)
            switch verdict {
            case .refused:
                row.hit(Evidence(.refused, slot: slot, secretID: filled.secretID, at: now))
                parts.progress(.exchanges(done: min(row.hits, demanded), of: demanded, record.name))
                if row.isFull, left == .zero { return .refused("refused \(row.hits) times in a row", row.evidence) }
            case .accepted:
                row.miss("the removed secret still yields tokens")
                // Inside the bound some replica may not have heard of the removal yet.
                if left == .zero { row.acceptances += 1 }
            case .inconclusive(let why):
                row.miss(why)
            }
            if now.elapsedAtLeast(since: began) > patience, !row.isFull {
                if row.acceptances > 0 { return .accepted([]) }
                return .inconclusive(RotationMachine.Trouble(row.trouble))
            }
            try await rest(left, row, nil)
        }
    }

    /// A refusal weighed against controls; under recovery no other secret works, so a random one has to do.
    private func judge(
        _ slot: SlotName, _ filled: Slot, _ value: SecretValue, answered shape: AnswerShape, _ prober: Prober
    ) async -> ProbeVerdict {
        guard record.isUnderRecovery else {
            return await prober.judge(value, clientID: filled.clientID, good: prober.goodControl(for: slot)).verdict
        }
        let isAlike = await prober.answers(shape, toSecretsLike: value, clientID: filled.clientID)
        return isAlike ? .refused : .inconclusive("answered \(shape.status), unlike a random secret")
    }

    /// Refused as often as demanded; without a good control that is a question for a person.
    private func refused(_ slot: SlotName) -> RotationMachine.Probe {
        guard record.isUnderRecovery else { return .refused("the \(slot) secret is refused", []) }
        return .inconclusive(
            RotationMachine.Trouble(
                "the \(slot) secret is answered as a random one is, and no other secret works to compare it with",
                needsPerson: true))
    }

    /// Refused, where neither controls nor many attempts are allowed.
    private func uncontrolled(_ slot: SlotName) -> RotationMachine.Trouble {
        RotationMachine.Trouble(
            "the \(slot) secret is refused, and more attempts may lock the client out", needsPerson: true)
    }

    private func canList(_ slot: Slot) -> Bool {
        ProviderPowers(provider).listing != nil && slot.secretID != nil
    }

    private func unprovable(_ slot: SlotName) -> RotationMachine.Trouble {
        RotationMachine.Trouble(
            "wrong secrets may lock the client out, and no list shows whether the \(slot) secret is gone",
            needsPerson: true)
    }

    private func listedGone(_ slot: Slot) async -> ProbeVerdict {
        guard let listing = ProviderPowers(provider).listing, let id = slot.secretID else {
            return .inconclusive("the provider lists no such secret")
        }
        let reference = ClientReference(name: record.name, clientID: slot.clientID)
        do {
            let listed = try await listing.secrets(of: reference)
            return listed.contains { $0.id == id && $0.isActive } ? .accepted : .refused
        } catch {
            return .inconclusive(error.message)
        }
    }

    private func missing(since moment: ClockReading, at now: ClockReading) -> TimeSpan {
        moment.remaining(of: provider.capabilities.propagationBound, at: now)
    }

    private func canary(
        _ slot: SlotName, _ grant: TokenGrant?, _ evidence: [Evidence]
    ) async -> RotationMachine.Probe {
        guard slot == .secondary, let url = record.registration.canaryURL, let grant else { return .accepted(evidence) }
        do {
            try await parts.exchanger.callCanary(url: url, token: grant)
            return .accepted(evidence + [Evidence(.canaryPassed, slot: slot, at: parts.clock.now(), detail: url)])
        } catch {
            if error.isRetryable { return .inconclusive(RotationMachine.Trouble(error.message)) }
            return .unacceptable("the canary request failed: \(error.message)")
        }
    }

    /// Spreads a row over the bound that is left, slows down while there is none, and keeps the claim fresh.
    private mutating func rest(_ left: TimeSpan, _ row: Row, _ retryAfter: TimeSpan?) async throws {
        let spread = TimeSpan.milliseconds(left.milliseconds / Int64(max(1, demanded - row.hits)))
        let steady = max(.milliseconds(50), min(spread, .seconds(1)))
        // An attempt without an answer may have been counted as one with a wrong secret.
        let unit = TimeSpan.seconds(provider.capabilities.locksOut ? 10 : 1)
        let slow = min(unit * Int64(row.misses), max(unit, .seconds(5)))
        try await rest(for: min(max(steady, slow, retryAfter ?? .zero), .minutes(1)))
    }

    /// Outcomes in a row.
    private struct Row {
        let demanded: Int
        var hits = 0
        var misses = 0
        var refusals = 0
        var acceptances = 0
        var evidence: [Evidence] = []
        var trouble = "no exchange was possible"

        var isFull: Bool { hits >= demanded }

        mutating func hit(_ observation: Evidence) {
            hits += 1
            misses = 0
            refusals = 0
            acceptances = 0
            evidence.append(observation)
            evidence.removeFirst(max(0, evidence.count - demanded))
        }

        /// Refusals count in a row: an answer that says nothing ends it.
        mutating func calm() { refusals = 0 }

        /// A refusal beside good controls is no trouble but an answer: there is no reason to slow down.
        mutating func refuse() {
            refusals += 1
            misses = 0
        }

        mutating func miss(_ why: String) {
            hits = 0
            misses += 1
            evidence = []
            trouble = why
        }
    }
}

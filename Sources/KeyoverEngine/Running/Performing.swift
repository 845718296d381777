import KeyoverCore

/// How the runner carries out effects: each ends in one observation, and a failure is an observation too.
extension RotationRunner {
    mutating func perform(_ effect: RotationMachine.Effect) async throws -> RotationMachine.Observation {
        switch effect {
        case .countSlots, .search, .sweep: return await listSecrets()
        case .send(let intent): return .written(await send(intent))
        case .readBack: return try await readBack()
        case .verify(let slot): return .probed(try await verify(slot))
        case .checkActive: return .probed(await prober().probeOnce(record.active))
        case .deliver: return .delivered(await deliver())
        case .observeGate: return try await observeGate()
        case .prove(let slot): return .probed(try await prove(slot))
        case .ask, .wait, .finish:
            preconditionFailure("the loop handles \(effect) itself")
        }
    }

    func prober() -> Prober {
        Prober(parts: parts, record: record, provider: provider)
    }

    private var powers: ProviderPowers { ProviderPowers(provider) }

    private var reference: ClientReference {
        ClientReference(name: record.name, clientID: record.primary.clientID)
    }

    private func listSecrets() async -> RotationMachine.Observation {
        guard let listing = powers.listing else { return .listed([]) }
        do {
            return .listed(try await listing.secrets(of: reference))
        } catch {
            return .unavailable(RotationMachine.Trouble(error))
        }
    }

    /// Sends the write whose intent was just stored, if the claim still allows it.
    private func send(_ intent: Intent) async -> RotationMachine.WriteResult {
        let (clock, claimedAt, term) = (parts.clock, claimedAt, parts.claimTerm)
        let accepted = record.rotation?.activeAcceptedAt
        let needsProof = record.mustProveActive(before: intent.write)
        let permit = WritePermit {
            let now = clock.now()
            guard let claimedAt, now.elapsedAtMost(since: claimedAt) < term else { return false }
            guard needsProof else { return true }
            return accepted.map { now.elapsedAtMost(since: $0) < RotationMachine.freshness } ?? false
        }
        do throws(ProviderError) {
            switch intent.write {
            case .add(let tag):
                guard let adding = powers.adding else { throw unsupported("add") }
                return await mint(try await adding.addSecret(to: reference, tag: tag, permit: permit))
            case .remove(let id):
                guard let removing = powers.removing else { throw unsupported("remove") }
                try await removing.removeSecret(id, of: reference, permit: permit)
            case .deactivate(let id):
                guard let deactivating = powers.deactivating else { throw unsupported("deactivate") }
                try await deactivating.deactivateSecret(id, of: reference, permit: permit)
            case .reactivate(let id):
                guard let deactivating = powers.deactivating else { throw unsupported("reactivate") }
                try await deactivating.reactivateSecret(id, of: reference, permit: permit)
            }
            return .done
        } catch {
            return error.effect == .none ? .refused(error.failure, error.message) : .lost(error.message)
        }
    }

    private func mint(_ secret: MintedSecret) async -> RotationMachine.WriteResult {
        do {
            return .minted(secret, try await parts.fingerprint(of: secret.value))
        } catch {
            return .lost("the vault gave no key for the fingerprint: \(error.message)")
        }
    }

    private func unsupported(_ verb: String) -> ProviderError {
        ProviderError(.unknown, effect: .none, "the provider of \(record.name) cannot \(verb) a secret by a call")
    }

    /// Reads the record anew and compares the secondary with the fingerprint taken of the minted value.
    private func readBack() async throws -> RotationMachine.Observation {
        do {
            let stored = try await parts.vault.read(record.name)
            guard let value = stored?.record.secondary?.value, let expected = record.secondary?.fingerprint else {
                return .readBack(false)
            }
            return .readBack(try await parts.fingerprint(of: value) == expected)
        } catch {
            guard error.isRetryable else { throw error }
            return .unavailable(RotationMachine.Trouble(error.message))
        }
    }

    private func deliver() async -> [DeliveryResult] {
        guard let rotation = record.rotation else { return [] }
        let announcement = Announcement(client: record.name, generation: record.generation, rotation: rotation.id)
        var results: [DeliveryResult] = []
        for target in record.registration.deliveries + parts.standingDeliveries {
            let done = rotation.deliveries.contains { $0.target == target && $0.failure == nil }
            guard !done else { continue }
            var failure: String?
            if let delivery = parts.deliveries[target.kind] {
                do { try await delivery.deliver(announcement, to: target) } catch { failure = error.description }
            } else {
                failure = "there is no delivery of the kind \(target.kind)"
            }
            results.append(
                DeliveryResult(
                    target: target, generation: record.generation, at: parts.clock.now().wall, failure: failure))
        }
        return results
    }

    /// The ids of what the rotation will take away behind the gate; leftovers go only where it ends forward.
    private var secretsLeaving: Set<SecretID> {
        let isGoingBack = record.rotation?.stage.isRollingBack ?? false
        let leftovers = isGoingBack ? [] : record.owned.map(\.secretID)
        let ids = Set(leftovers + [record[record.active.other]?.secretID].compactMap(\.self))
        return ids.subtracting([record.activeSlot.secretID].compactMap(\.self))
    }

    private func observeGate() async throws -> RotationMachine.Observation {
        do {
            let ledger = try await parts.vault.ledger(of: record.name)
            let leaving = secretsLeaving
            var lastUse: Timestamp?
            if let usage = powers.usage, !leaving.isEmpty {
                // Evidence that cannot be had is absent evidence; the time-based conditions still hold.
                let uses = try? await usage.lastUse(of: reference)
                lastUse = uses?.filter { leaving.contains($0.key) }.map(\.value).max()
            }
            let active = await prober().probeOnce(record.active)
            return .gate(GateObservation(ledger: ledger, lastUse: lastUse, active: active))
        } catch {
            guard error.isRetryable else { throw error }
            return .unavailable(RotationMachine.Trouble(error.message))
        }
    }
}

extension RotationMachine.Trouble {
    /// What a failed provider call means for the machine.
    init(_ error: ProviderError) {
        var retryAfter: TimeSpan?
        if case .rateLimited(let after) = error.failure { retryAfter = after }
        self.init(error.message, retryAfter: retryAfter, needsPerson: !error.isRetryable && error.effect == .none)
    }
}

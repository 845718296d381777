import KeyoverCore

/// How the runner writes: always its claim with it, always one compare-and-swap, the outbox flushed after it.
extension RotationRunner {
    /// How often a write is tried again while the vault does not answer.
    private static let attempts = 8

    /// Applies an event to the record, stores the result, and returns what is to be done.
    mutating func store(_ event: RotationMachine.Event) async throws -> RotationMachine.Effect {
        while true {
            let before = record.rotation?.stage
            let step = try RotationMachine.transition(record, on: event, in: context())
            do {
                if step.record != record || step.effect.isWrite { try await write(step.record) }
            } catch let error as VaultError where error.code == .conflict {
                try await rereadAsOwner()
                continue
            }
            if let stage = record.rotation?.stage, stage != before { parts.progress(.stage(stage, record.name)) }
            return step.effect
        }
    }

    /// What the machine needs to know besides record and event.
    private func context() throws(RotationError) -> RotationMachine.Context {
        guard let rotation = record.rotation, let strategy = Strategies.named(rotation.strategy) else {
            throw RotationError(
                .unsupportedStrategy, "the rotation of \(record.name) was begun with a strategy that is not known here",
                remedy: "continue it with the newer keyover that began it")
        }
        return RotationMachine.Context(
            strategy: strategy, capabilities: provider.capabilities, policy: parts.policy(record),
            calendar: parts.calendar, now: parts.clock.now(), actor: parts.actor,
            claimTerm: parts.claimTerm, freshTag: MintTag.fresh(for: record, word: parts.randomWord(8)),
            until: options.until)
    }

    /// Stores a record under this runner's claim, flushes its audit entries, and keeps both in mind.
    mutating func write(_ proposed: ClientRecord) async throws {
        var next = proposed
        next.outbox.removeAll { $0.sequence <= flushedThrough }
        let now = parts.clock.now()
        if next.rotation != nil {
            next.rotation?.claim = Claim(nonce: nonce, host: parts.actor.host, at: now, term: parts.claimTerm)
        }
        try await swap(next)
        claimedAt = next.rotation == nil ? nil : now
        try await flushOutbox()
    }

    /// One compare-and-swap; where an answer was lost, the vault is read to learn whether it took place.
    private mutating func swap(_ next: ClientRecord) async throws {
        var attempt = 0
        while true {
            do {
                let revision = try await parts.vault.write(next, expecting: current.revision)
                current = Versioned(next, revision)
                return
            } catch {
                // A conflict after a lost answer may be this very write, which took place after all.
                let isOurs = error.code == .conflict && attempt > 0
                attempt += 1
                guard isOurs || error.code == .unavailable && attempt < Self.attempts else { throw error }
            }
            try? await parts.clock.sleep(for: .milliseconds(Int64(100 << min(attempt, 6))))
            guard let found = try? await parts.vault.read(record.name) else { continue }
            if found.record == next {
                current = found
                return
            }
            if found.revision != current.revision {
                throw VaultError(.conflict, "\(record.name) changed meanwhile", isRetryable: true)
            }
        }
    }

    /// Copies what is in the outbox to the audit log; rotations stop while that cannot be done.
    mutating func flushOutbox() async throws {
        let pending = record.outbox.filter { $0.sequence > flushedThrough }
        guard let last = pending.last else { return }
        do {
            try await parts.audit.append(pending)
        } catch {
            throw RotationError(
                .auditBlocked, "the audit log takes no entries, so \(record.name) is not changed any further",
                remedy: error.remedy ?? "mend the audit log, then run keyover resume \(record.name)", underlying: error)
        }
        flushedThrough = last.sequence
    }

    /// After a conflict: goes on only while rotation and claim are still this runner's.
    private mutating func rereadAsOwner() async throws {
        let found = try await parts.require(record.name)
        guard found.record.rotation?.id == record.rotation?.id, found.record.rotation?.claim?.nonce == nonce else {
            throw RotationError(
                .superseded, "another runner took the rotation of \(record.name) over",
                remedy: "run keyover status \(record.name)")
        }
        current = found
    }

    /// Makes the claim fresh again when a good part of its term is over.
    mutating func renewClaim() async throws {
        guard let claimedAt, record.rotation != nil else { return }
        guard parts.clock.now().elapsedAtLeast(since: claimedAt) >= parts.claimTerm.third else { return }
        while true {
            do {
                return try await write(record)
            } catch let error as VaultError where error.code == .conflict {
                try await rereadAsOwner()
            }
        }
    }

    /// Gives the claim back and strikes out what is in the audit log, so that the next runner need not wait.
    mutating func release() async throws {
        for _ in 1...Self.attempts {
            var next = record
            next.outbox.removeAll { $0.sequence <= flushedThrough }
            next.rotation?.claim = nil
            guard next != record else { return }
            do {
                try await swap(next)
                claimedAt = nil
                return
            } catch let error as VaultError where error.code == .conflict {
                let found = try await parts.require(record.name)
                let isOurs = found.record.rotation?.claim?.nonce == nonce || found.record.rotation == nil
                guard isOurs else { return }
                current = found
            }
        }
    }
}

extension RotationMachine.Effect {
    var isWrite: Bool {
        if case .send = self { true } else { false }
    }

    var isFinish: Bool {
        if case .finish = self { true } else { false }
    }
}

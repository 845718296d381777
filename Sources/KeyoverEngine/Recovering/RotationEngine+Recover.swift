public import KeyoverCore

extension RotationEngine {
    /// What a recovery came to.
    public enum Recovery: Sendable {
        /// The client needs none: it was verified since it came out of a backup, or never came out of one.
        case notNeeded(ClientRecord)
        /// This slot's secret works, and readers are given it; a rotation in progress waits to be resumed.
        case verified(SlotName, ClientRecord)
        /// What the lost machine had sent last may still take effect, for longer than the options allow to wait.
        case waiting(Waiting, ClientRecord)
        /// No secret works any more; the rotation that replaces them went so far.
        case replacing(Result)
    }

    /// Tries what a backup brought back, and gives the client out again once a secret is proven to work.
    ///
    /// Where none works, a new one is minted, by a rotation that any later call continues. While nothing can be said of
    /// the secrets, nothing is changed. Said again of a client that is recovered, it changes nothing.
    public func recover(
        _ client: ClientName, reason: String?, options: Options = Options()
    ) async throws -> Recovery {
        for _ in 1...Self.recoveryAttempts {
            var runner = try await runner(for: client, options: options)
            guard runner.record.restored != nil else {
                guard runner.record.rotation?.recovery != nil else { return .notNeeded(runner.record) }
                return .replacing(try await runner.run(.order(.resumed)))
            }
            if runner.record.isUnderRecovery { return .replacing(try await runner.run(.order(.resumed))) }
            do {
                return try await runner.recover(reason: reason)
            } catch let error as VaultError {
                // Somebody else was faster; what the record calls for now is seen by reading it.
                guard error.code == .conflict else { throw error }
            }
        }
        throw RotationError(
            .busy, "\(client) is being changed by others all the time", remedy: "run keyover status \(client)",
            isRetryable: true)
    }

    private static let recoveryAttempts = 5
}

extension RotationRunner {
    /// Waits until everything that was sent before the restore has taken effect everywhere, or never will; before that
    /// a secret may be accepted that is gone a moment later.
    ///
    /// The two moments may lie in different boots, so that the wall clock is all there is to go by.
    private mutating func outlastLostWrites() async throws -> Waiting? {
        guard let restored = record.restored else { return nil }
        let capabilities = provider.capabilities
        let commit = ProviderPowers(provider).adding == nil ? .zero : capabilities.commitDelay
        let span = commit + capabilities.propagationBound
        let missing = min(span, restored.at + span - parts.clock.now().wall)
        guard missing > .zero else { return nil }
        let waiting = Waiting(
            .provider, "what was sent before the restore may still take effect", until: parts.clock.now().wall + missing
        )
        guard waited + missing <= options.wait else { return waiting }
        parts.progress(.waiting(waiting, record.name))
        do {
            try await pause(missing)
        } catch is CancellationError {
            throw interrupted()
        }
        return nil
    }

    fileprivate mutating func recover(reason: String?) async throws -> RotationEngine.Recovery {
        try await outlastClaim()
        if let waiting = try await outlastLostWrites() { return .waiting(waiting, record) }
        let findings = try await SlotProber(prober: prober(), demanded: demanded).findings()
        var next = record
        switch findings.survivor {
        case let slot?:
            next.adopt(findings.listed ?? [], at: parts.clock.now(), by: parts.actor)
            next.recover(on: slot, seeing: findings.evidence, at: parts.clock.now(), by: parts.actor)
            parts.presence.announce(nonce)
            defer { parts.presence.withdraw(nonce) }
            try await flushOutbox()
            try await write(next)
            try await release()
            return .verified(slot, record)
        case nil:
            let rotation = try freshRotation(reason: reason)
            next.recover(by: rotation, seeing: findings.evidence, at: parts.clock.now())
            return .replacing(try await begin(next))
        }
    }
}

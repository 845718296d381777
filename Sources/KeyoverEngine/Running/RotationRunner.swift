import KeyoverCore

/// Drives one rotation of one client: stores what the machine says, does what it asks for, reports what was seen.
///
/// The loop knows nothing of stages. What must survive lies in the record; the runner keeps only its claim's nonce and
/// the record as it last wrote it.
struct RotationRunner {
    let parts: EngineParts
    let provider: any Provider
    let options: RotationEngine.Options
    let nonce: String
    var current: Versioned<ClientRecord>
    /// When the claim in the stored record was made or renewed by this runner; `nil` before the first write.
    var claimedAt: ClockReading?
    /// The audit entries of the record up to this number are in the audit log.
    var flushedThrough: UInt64 = 0
    var waited = TimeSpan.zero

    var record: ClientRecord { current.record }

    init(
        parts: EngineParts, provider: any Provider, current: Versioned<ClientRecord>, options: RotationEngine.Options
    ) {
        self.parts = parts
        self.provider = provider
        self.options = options
        self.current = current
        nonce = parts.randomWord(16)
    }

    /// Throws when there is no rotation, or one that must not go on before a recovery.
    func requireRotation() throws(RotationError) {
        if !record.isUnderRecovery { try record.requireVerified() }
        guard record.rotation == nil else { return }
        throw RotationError(
            .nothingInProgress, "\(record.name) has no rotation in progress",
            remedy: "run keyover rotate \(record.name)")
    }

    /// Stores a new rotation and drives it.
    mutating func begin(reason: String?, compromised: SlotName?) async throws -> RotationEngine.Result {
        if compromised == .secondary {
            throw RotationError(
                .wrongInput, "\(record.name) has no secondary secret: no rotation is in progress",
                remedy: "run keyover rotate \(record.name) --compromised primary")
        }
        var next = record
        let leaked = compromised ?? (next.primaryIsCompromised ? .primary : nil)
        let rotation = try freshRotation(reason: reason, compromised: leaked == nil ? nil : .primary)
        next.rotation = rotation
        next.primaryIsCompromised = false
        next.note(
            "rotation.started", ["strategy": rotation.strategy.description, "compromised": leaked?.rawValue ?? "no"],
            rotation: rotation, actor: parts.actor, at: rotation.startedAt.wall)
        return try await begin(next)
    }

    /// A rotation in its first stage, by the strategy that fits.
    func freshRotation(reason: String?, compromised: SlotName? = nil) throws(RotationError) -> Rotation {
        let strategy = try Strategies.choose(for: record, provider: provider)
        var generator = RandomGenerator(source: parts.randomness)
        let now = parts.clock.now()
        return Rotation(
            id: UUIDv7(at: now.wall, using: &generator), strategy: strategy.name, startedAt: now,
            startedBy: parts.actor, reason: reason, compromised: compromised)
    }

    /// Stores a record in which a rotation begins, and drives it.
    mutating func begin(_ next: ClientRecord) async throws -> RotationEngine.Result {
        parts.presence.announce(nonce)
        defer { parts.presence.withdraw(nonce) }
        try await flushOutbox()
        do {
            try await write(next)
        } catch let error as VaultError where error.code == .conflict {
            throw busy()
        } catch {
            // Stored with its claim, perhaps, and not noted in the audit log.
            try? await release()
            throw error
        }
        return try await drive(.order(.resumed))
    }

    /// Takes the rotation in progress over and drives it, beginning with an event.
    mutating func run(_ event: RotationMachine.Event) async throws -> RotationEngine.Result {
        parts.presence.announce(nonce)
        defer { parts.presence.withdraw(nonce) }
        try await takeOver()
        return try await drive(event)
    }

    private mutating func drive(_ first: RotationMachine.Event) async throws -> RotationEngine.Result {
        do {
            return try await loop(first)
        } catch is CancellationError {
            try await release()
            throw interrupted()
        } catch {
            // Whoever comes next need not wait for a claim that nobody uses; the error at hand matters more than one here.
            try? await release()
            throw error
        }
    }

    private mutating func loop(_ first: RotationMachine.Event) async throws -> RotationEngine.Result {
        var event = first
        while true {
            let effect = try await store(event)
            // An intent just stored is sent even so: left behind unsent, it would cost the next run a search.
            if parts.interruption?.isRequested == true, !effect.isWrite, !effect.isFinish { throw CancellationError() }
            switch effect {
            case .finish(let outcome):
                try await release()
                if outcome == .completed || outcome == .rolledBack, record.primaryIsCompromised {
                    return try await begin(reason: "the secret that stayed has leaked", compromised: .primary)
                }
                return .finished(outcome, record)
            case .ask:
                try await release()
                return .waiting(record.rotation?.waiting ?? Waiting(.person, "a person", until: nil), record)
            case .wait(let span):
                let waiting = record.rotation?.waiting ?? Waiting(.provider, "the provider", until: nil)
                guard waited + span <= options.wait else {
                    try await release()
                    return .waiting(waiting, record)
                }
                parts.progress(.waiting(waiting, record.name))
                try await pause(span)
                event = .order(.resumed)
            case .countSlots, .send, .search, .readBack, .verify, .checkActive, .deliver, .observeGate, .prove, .sweep:
                event = .observation(try await perform(effect))
            }
        }
    }

    /// Waits at the expense of what the caller is ready to wait.
    mutating func pause(_ span: TimeSpan) async throws {
        waited = waited + span
        try await rest(for: span)
    }

    /// Sleeps in slices, so that the claim stays fresh.
    mutating func rest(for span: TimeSpan) async throws {
        var left = span
        while left > .zero {
            let slice = min(left, parts.claimTerm.third)
            try await parts.sleep(for: slice)
            left = left - slice
            try await renewClaim()
        }
    }

    func interrupted() -> RotationError {
        RotationError(
            .interrupted, "the rotation of \(record.name) was interrupted in the stage \(stageName)",
            remedy: "run keyover resume \(record.name)")
    }

    func busy() -> RotationError {
        RotationError(
            .busy, "another change of \(record.name) is in progress", remedy: "run keyover status \(record.name)")
    }

    var stageName: String { record.rotation?.stage.rawValue ?? "idle" }
}

extension TimeSpan {
    var third: TimeSpan { .milliseconds(max(1, milliseconds / 3)) }
}

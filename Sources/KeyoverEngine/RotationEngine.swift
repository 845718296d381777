public import KeyoverCore

/// Runs rotations: the one interface that commands, the scheduler and the simulator use.
///
/// Each call takes the client's rotation over (or finds it busy), drives it as far as it goes within the options, and
/// leaves a record that any later call can continue, also when the process dies in the middle.
public struct RotationEngine: Sendable {
    let parts: EngineParts

    /// An engine made of the given parts.
    public init(_ parts: EngineParts) {
        self.parts = parts
    }

    /// How far one call may go.
    public struct Options: Sendable {
        /// The longest wait, in total, before the call returns with `.waiting`.
        public var wait: TimeSpan
        /// The stage after which to stop.
        public var until: Stage?

        /// The limits of one call.
        public init(wait: TimeSpan = .minutes(10), until: Stage? = nil) {
            self.wait = wait
            self.until = until
        }
    }

    /// How one call ended.
    public enum Result: Sendable {
        /// The machine came to an end.
        case finished(RotationMachine.Outcome, ClientRecord)
        /// The next step is further off than the options allow, or a person's.
        case waiting(Waiting, ClientRecord)

        /// The record as it was stored last.
        public var record: ClientRecord {
            switch self {
            case .finished(_, let record), .waiting(_, let record): record
            }
        }
    }

    /// Starts a rotation, or continues the one in progress.
    ///
    /// With `compromised`, the leak is recorded in the rotation in progress, or in a new one. A rotation that needs
    /// attention is reported, not continued: that is what ``resume(_:input:options:)`` is for.
    public func rotate(
        _ client: ClientName, reason: String?, compromised: SlotName? = nil, options: Options = Options()
    ) async throws -> Result {
        var runner = try await runner(for: client, options: options)
        try runner.record.requireVerified()
        if let rotation = runner.record.rotation {
            if let compromised { return try await runner.run(.order(.compromised(compromised))) }
            if rotation.attention != nil { return .finished(.needsAttention, runner.record) }
            return try await runner.run(.order(.resumed))
        }
        return try await runner.begin(reason: reason, compromised: compromised)
    }

    /// What a person brings to a rotation that waits.
    public enum Input: Sendable {
        /// Nothing: try again.
        case none
        /// The secondary, made at the provider's console.
        case secret(MintedSecret)
        /// The word that the secret on its way out was deleted.
        case deleted
        /// Consumers not to wait for.
        case acceptUndrained([ConsumerName])
    }

    /// Continues a rotation that waits, was interrupted, or needs attention.
    public func resume(
        _ client: ClientName, input: Input = .none, options: Options = Options()
    ) async throws -> Result {
        var runner = try await runner(for: client, options: options)
        try runner.requireRotation()
        switch input {
        case .none: return try await runner.run(.order(.resumed))
        case .secret(let secret):
            let fingerprint = try await parts.fingerprint(of: secret.value)
            return try await runner.run(.observation(.supplied(secret, fingerprint)))
        case .deleted: return try await runner.run(.observation(.reportedDeleted))
        case .acceptUndrained(let consumers): return try await runner.run(.order(.drainAccepted(consumers)))
        }
    }

    /// Goes back to the primary, as long as the strategy's point of no return is ahead.
    public func abort(_ client: ClientName, options: Options = Options()) async throws -> Result {
        var runner = try await runner(for: client, options: options)
        try runner.requireRotation()
        return try await runner.run(.order(.aborted))
    }

    /// Ends a rotation that needs attention with the active secret as the primary, after one live exchange with it.
    public func settle(_ client: ClientName) async throws -> Result {
        var runner = try await runner(for: client, options: Options(wait: .zero))
        try runner.requireRotation()
        try runner.record.requireVerified()
        guard case .accepted = await runner.prober().probeOnce(runner.record.active) else {
            throw RotationError(
                .verificationFailed, "the active secret of \(client) is not accepted, so nothing is settled on it",
                remedy: "run keyover verify \(client)")
        }
        return try await runner.run(.order(.settled))
    }

    /// Tries the secret of a slot live, changes nothing, and says what the exchanges showed.
    public func verify(_ client: ClientName, slot: SlotName? = nil) async throws -> RotationMachine.Probe {
        let record = try await parts.require(client).record
        let provider = try await parts.provider(record.registration.tenant)
        return await Prober(parts: parts, record: record, provider: provider).probeOnce(slot ?? record.active)
    }

    func runner(for client: ClientName, options: Options) async throws -> RotationRunner {
        let versioned = try await parts.require(client)
        let provider = try await parts.provider(versioned.record.registration.tenant)
        return RotationRunner(parts: parts, provider: provider, current: versioned, options: options)
    }
}

extension EngineParts {
    /// The record of a client, or the error that there is none, or that it lives in another vault by now.
    func require(_ client: ClientName) async throws -> Versioned<ClientRecord> {
        guard let versioned = try await vault.read(client) else {
            throw RotationError(
                .unknownClient, "there is no client named \(client)", remedy: "run keyover client list")
        }
        try versioned.record.requireHere()
        return versioned
    }

    /// A random word of so many bytes, in hexadecimal.
    func randomWord(_ byteCount: Int) -> String { Hex.encode(randomness.bytes(byteCount)) }
}

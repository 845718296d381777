import KeyoverCore

/// One client at a provider under test, and the questions that the cases ask about it.
struct ProviderBench: Sendable {
    let fixture: any ProviderServerFixture
    let client: FixtureClient

    init(_ fixture: any ProviderServerFixture) async throws {
        self.fixture = fixture
        client = try await fixture.makeClient()
    }

    var reference: ClientReference { client.reference }
    var capabilities: Capabilities { fixture.provider.capabilities }
    /// A permit that holds.
    var permit: WritePermit { WritePermit { true } }

    /// The adapter with a power that it has been seen to have.
    func power<Power>(_ path: KeyPath<ProviderPowers, Power?>) throws -> Power {
        guard let power = ProviderPowers(fixture.provider)[keyPath: path] else {
            throw ConformanceFailure("the adapter of the fixture lacks a power that the sample has")
        }
        return power
    }

    func list() async throws -> [ListedSecret] {
        try await power(\.listing).secrets(of: reference)
    }

    func add(_ tag: String) async throws -> (id: SecretID, value: SecretValue) {
        let minted = try await power(\.adding).addSecret(to: reference, tag: tag, permit: permit)
        guard let id = minted.id else { throw ConformanceFailure("the added secret has no id") }
        try expect(!minted.value.isEmpty, "the added secret has no value")
        return (id, minted.value)
    }

    /// The outcome of one exchange.
    func outcome(_ secret: SecretValue) async -> ProbeVerdict.Outcome {
        do {
            _ = try await fixture.exchanger.exchange(fixture.exchange(reference, secret))
            return .granted
        } catch {
            return ProbeVerdict.Outcome(error)
        }
    }

    /// The verdict on a secret, between a random one and one that works.
    func verdict(_ secret: SecretValue, whileGood good: SecretValue) async -> ProbeVerdict {
        let random = SecretValue(count: secret.count) { buffer in
            for index in buffer.indices { buffer[index] = UInt8.random(in: UInt8(ascii: "a")...UInt8(ascii: "z")) }
        }
        return ProbeVerdict(
            probe: await outcome(secret), random: await outcome(random), good: await outcome(good))
    }

    /// Waits until a change of a secret is in force everywhere.
    func propagate() async throws {
        try await Task.sleep(for: capabilities.propagationBound.duration)
    }

    /// Asks often enough to have met every replica.
    func expectAccepted(_ secret: SecretValue, _ what: String) async throws {
        for _ in 0..<max(6, capabilities.verifyingExchanges) {
            let outcome = await outcome(secret)
            try expect(outcome == .granted, "\(what) is not accepted: \(outcome)")
        }
    }

    func expectRefused(_ secret: SecretValue, whileGood good: SecretValue, _ what: String) async throws {
        for _ in 0..<max(6, capabilities.verifyingExchanges) {
            let verdict = await verdict(secret, whileGood: good)
            try expect(verdict == .refused, "\(what) is not refused: \(verdict)")
        }
    }

    /// The provider's error of a call that must fail.
    func failure(of what: String, _ call: () async throws(ProviderError) -> Void) async throws -> ProviderError {
        do {
            try await call()
        } catch {
            return error
        }
        throw ConformanceFailure("\(what) succeeded")
    }

    /// Neither the value nor any eight bytes of it may be found in the text.
    func expectHidden(_ secrets: [SecretValue], in subject: Any, _ what: String) throws {
        var text = ""
        dump(subject, to: &text)
        text += String(describing: subject) + String(reflecting: subject)
        for secret in secrets {
            let value = secret.withUnsafeSecretBytes { Array(String(decoding: $0, as: UTF8.self)) }
            let width = min(8, value.count)
            for start in 0...value.count - width {
                try expect(!text.contains(String(value[start..<start + width])), "\(what) shows a secret")
            }
        }
    }
}

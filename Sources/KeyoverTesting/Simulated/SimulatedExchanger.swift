internal import KeyoverCore

/// The token endpoint: each exchange is answered by one replica.
struct SimulatedExchanger: TokenExchanging {
    let simulation: Simulation
    let process: SimulatedProcess

    func exchange(_ request: ExchangeRequest) async throws(ExchangeError) -> TokenGrant {
        await simulation.pass(simulation.generator.within(1...40), process)
        if simulation.isOver { throw ExchangeError(.transient, "the simulation is over") }
        let answer = simulation.exchange(request.secret, isProbe: true)
        let failure = simulation.strikes(.exchangeFailed)
        await simulation.pass(simulation.generator.within(1...40), process)
        if failure {
            if simulation.generator.chance(300) {
                throw ExchangeError(
                    .rateLimited(retryAfter: simulation.generator.chance(500) ? .seconds(2) : nil),
                    answer: AnswerShape(status: 429, error: nil), "too many exchanges")
            }
            throw ExchangeError(.transient, "the exchange got no answer")
        }
        guard answer else {
            throw ExchangeError(.credentialRejected, answer: simulation.scenario.refusal, "the secret was refused")
        }
        return TokenGrant(
            accessToken: SecretValue(copying: Array("token".utf8)), tokenType: "Bearer", expiresIn: .hours(1),
            scopes: nil, serverDate: nil)
    }

    func callCanary(url: String, token: TokenGrant) async throws(ExchangeError) {}
}

extension Simulation {
    /// Where wrong secrets lock the client out, ten of them within a minute do, whoever sends them.
    private func countWrongSecret() {
        guard scenario.capabilities.locksOut, !people.hasMeddled else { return }
        server.wrongSecrets.removeAll { $0 < now - 60_000 }
        server.wrongSecrets.append(now)
        if server.wrongSecrets.count >= 10 { violate(1, "the runner's own wrong secrets locked the client out") }
    }

    /// One exchange at a replica drawn from the seed; a success counts as a use of the secret.
    func exchange(_ value: SecretValue, isProbe: Bool) -> Bool {
        let replica = generator.below(scenario.replicas)
        guard let secret = server.secret(withValue: value), server.accepts(secret, at: replica, now) else {
            if isProbe { countWrongSecret() }
            return false
        }
        secret.lastUse = now
        if isProbe {
            for checker in checkers { checker.proved(secret, in: self) }
        }
        return true
    }
}

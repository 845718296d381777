internal import KeyoverCore
internal import KeyoverEngine

extension Simulation {
    /// Fills the world: hosts, a client with its first secret, readers, and what people have in mind.
    func populate() {
        for index in 1...scenario.hosts {
            let skew = scenario.clocksJump ? 0 : generator.within(-30_000...30_000)
            hosts.append(
                SimulatedHost(
                    name: "host-\(index)", bootID: "boot-\(index)", skew: skew,
                    bootOffset: generator.within(0...1_000_000)))
        }
        let first = makeSecret(.adopted, immediate: true)
        for _ in 0..<scenario.strangers { makeSecret(.stranger, immediate: true) }
        adopt(first)
        for index in 0..<scenario.registeredConsumers + scenario.anonymousReaders {
            let isRegistered = index < scenario.registeredConsumers
            let reader = SimulatedReader(
                name: isRegistered ? VaultStore.named("consumer-\(index + 1)", of: LedgerEntry.self) : nil,
                host: generator.pick(hosts), interval: max(3000, declaredCache / 2),
                lease: .seconds(generator.pick([10, 40, 120])))
            readers.append(reader)
            schedule(reader)
        }
        scheduleMisfortune()
        scheduleLosses()
        scheduleOrders()
        after(scenario.faultsCease) {
            self.faultsHaveCeased = true
            self.happened("faults cease")
            self.close()
        }
    }

    /// Puts the first secret into the vault as the primary, as `client add` does.
    private func adopt(_ secret: SimulatedServer.Secret) {
        let process = SimulatedProcess(number: 0, host: hosts[0], order: .resume)
        let parts = parts(for: process)
        let (id, value) = (secret.id, secret.value)
        process.task = Task(executorPreference: executor) { [self] in
            guard let fingerprint = try? await parts.fingerprint(of: value) else { return }
            var record = store.record
            record.primary = Slot(
                clientID: "client-1", value: value, secretID: scenario.primaryHasID ? id : nil,
                fingerprint: fingerprint, storedAt: record.createdAt)
            if scenario.primaryHasID {
                record.owned = [OwnedSecret(secretID: id, tag: nil, since: record.createdAt)]
            }
            record.registration.strategy = scenario.strategy
            record.registration.deliveries = (0..<scenario.deliveries).map { index in
                DeliveryTarget(kind: SimulatedDelivery.kind, arguments: [String(index)])
            }
            store.replace(with: record, at: now)
        }
        while executor.readyCount > 0 { executor.run(at: 0) }
    }

    // MARK: Processes

    /// Starts a command on a host.
    func launch(_ order: OperatorOrder, wait: TimeSpan, until: Stage? = nil, on host: SimulatedHost? = nil) {
        let process = SimulatedProcess(
            number: processes.count + 1, host: host ?? generator.pick(hosts), order: order)
        processes.append(process)
        if scenario.rate(.interrupted) > 0 { process.interruption = Interruption() }
        happened("\(process) starts, wait \(wait)\(until.map { ", until \($0)" } ?? "")")
        for checker in checkers { checker.ordered(order, in: self) }
        let engine = RotationEngine(parts(for: process))
        let options = RotationEngine.Options(wait: wait, until: until)
        process.task = Task(executorPreference: executor) { [self] in
            do {
                process.result = .ended(try await order.carryOut(engine, options))
            } catch {
                process.result = .failed(error)
            }
            ended(process)
        }
    }

    private func ended(_ process: SimulatedProcess) {
        guard !isOver else { return }
        process.isDone = true
        process.announced = []
        switch process.result {
        case .ended(.finished(let outcome, _)): happened("\(process) ended: \(outcome)")
        case .ended(.waiting(let waiting, _)):
            happened("\(process) waits until \(waiting.until?.description ?? "a person acts"): \(waiting.message)")
        case .failed(let error):
            happened("\(process) failed: \(error)")
            if !(error is any KeyoverError) {
                violate(5, "\(process) ended with an error that names no next step: \(error)")
            }
        case nil: break
        }
    }

    private func parts(for process: SimulatedProcess) -> EngineParts {
        let isManual = scenario.strategy.description == "manual"
        let provider: any Provider =
            isManual
            ? SimulatedConsole(capabilities: scenario.capabilities)
            : SimulatedProvider(simulation: self, process: process)
        let policy = scenario.policy
        return EngineParts(
            vault: SimulatedVault(simulation: self, process: process),
            exchanger: SimulatedExchanger(simulation: self, process: process), provider: { _ in provider },
            audit: SimulatedAudit(simulation: self, process: process),
            clock: SimulatedClock(simulation: self, process: process),
            randomness: SimulatedRandomness(simulation: self),
            presence: SimulatedPresence(simulation: self, process: process),
            deliveries: [SimulatedDelivery.kind: SimulatedDelivery(simulation: self, process: process)],
            policy: { _ in policy }, calendar: scenario.calendar,
            actor: Actor(uid: 1000, host: process.host.name), claimTerm: scenario.claimTerm,
            interruption: process.interruption)
    }

    // MARK: Misfortune

    /// Every few seconds something may happen to processes, hosts and the provider.
    private func scheduleMisfortune() {
        after(generator.within(500...6000)) {
            guard !self.faultsHaveCeased else { return }
            for process in self.processes where process.isRunning {
                if self.strikes(.stopped) { self.stop(process) }
                if process.interruption != nil, self.strikes(.interrupted) { process.interruption?.request() }
            }
            for host in self.hosts {
                if self.strikes(.wallJump) { host.skew += self.generator.within(-7_200_000...7_200_000) }
                if self.strikes(.reboot) { self.reboot(host) }
            }
            if self.strikes(.adminEdit) { self.editRegistration() }
            if self.generator.chance(50), self.strikes(.meddling) { self.meddle() }
            self.scheduleMisfortune()
        }
    }

    private func stop(_ process: SimulatedProcess) {
        let claim = scenario.claimTerm.milliseconds
        let span = claim + generator.within(0...claim + scenario.capabilities.commitDelay.milliseconds)
        process.stoppedUntil = now + span
        happened("\(process) is stopped for \(span) ms")
    }

    private func reboot(_ host: SimulatedHost) {
        for process in processes where process.host === host { crash(process) }
        host.reboot(at: now, bootID: "\(host.name)-\(now)")
    }
}

internal import KeyoverCore
internal import KeyoverEngine

/// What somebody types.
enum OperatorOrder {
    case rotate(compromised: SlotName?)
    case resume
    case supply(MintedSecret)
    case reportDeleted
    case accept([ConsumerName])
    case abort
    case settle
    case recover

    var word: String {
        switch self {
        case .rotate(nil): "rotate"
        case .rotate(let slot?): "rotate --compromised \(slot)"
        case .resume: "resume"
        case .supply: "resume --secret-stdin"
        case .reportDeleted: "resume --deleted"
        case .accept: "resume --accept-undrained"
        case .abort: "abort"
        case .settle: "settle"
        case .recover: "recover"
        }
    }

    func carryOut(
        _ engine: RotationEngine, _ options: RotationEngine.Options
    ) async throws -> RotationEngine.Result {
        let client = VaultStore.client
        switch self {
        case .rotate(let slot):
            return try await engine.rotate(client, reason: "simulated", compromised: slot, options: options)
        case .resume: return try await engine.resume(client, options: options)
        case .supply(let secret): return try await engine.resume(client, input: .secret(secret), options: options)
        case .reportDeleted: return try await engine.resume(client, input: .deleted, options: options)
        case .accept(let names):
            return try await engine.resume(client, input: .acceptUndrained(names), options: options)
        case .abort: return try await engine.abort(client, options: options)
        case .settle: return try await engine.settle(client)
        case .recover:
            switch try await engine.recover(client, reason: "simulated", options: options) {
            case .replacing(let result): return result
            case .waiting(let waiting, let record): return .waiting(waiting, record)
            case .verified(_, let record), .notNeeded(let record): return .finished(.reachedStage, record)
            }
        }
    }
}

/// How a command ended.
enum OperatorResult {
    case ended(RotationEngine.Result)
    case failed(any Error)
}

/// What people have done that the checkers and the later course depend on.
struct People {
    /// How many edits of the registration were stored.
    var edits = 0
    /// Whether somebody changed secrets at the provider out of band.
    var hasMeddled = false
    /// Whether a rotation whose proof nobody could give was settled.
    var hasSettledUnproven = false
    /// Commands given since faults ceased.
    var attempts = 0
    /// Whether the last, undisturbed rotation was begun.
    var hasBegunLastRotation = false
}

extension Simulation {
    /// Whether some command is at work.
    var isAtWork: Bool { processes.contains { $0.isRunning } }

    // MARK: While faults strike

    func scheduleOrders() {
        after(generator.within(0...5000)) {
            self.launch(.rotate(compromised: nil), wait: self.patience(), until: self.stopover())
        }
        for _ in 1..<max(2, scenario.orders) {
            after(generator.within(1000...scenario.faultsCease)) {
                guard !self.faultsHaveCeased else { return }
                if self.isAtWork {
                    guard self.strikes(.secondRunner) else { return }
                }
                self.launch(self.whim(), wait: self.patience(), until: self.stopover())
            }
        }
        scheduleRounds()
    }

    /// Like a timer unit: from time to time, what is unfinished is continued.
    private func scheduleRounds() {
        after(generator.within(generator.chance(300) ? 100...3000 : 3000...60_000)) {
            guard !self.faultsHaveCeased else { return }
            if self.isAtWork {
                if self.strikes(.secondRunner) { self.launch(.resume, wait: self.patience()) }
            } else if self.store.record.rotation != nil || self.store.record.restored != nil {
                if self.generator.chance(120) { self.launch(.abort, wait: self.patience()) } else { self.attend() }
            }
            self.scheduleRounds()
        }
    }

    private func patience() -> TimeSpan { .seconds(generator.pick([0, 5, 60, 600, 3600])) }

    private func stopover() -> Stage? {
        generator.chance(100) ? generator.pick([.minting, .staged, .verifying, .cutOver, .draining, .retiring]) : nil
    }

    private func whim() -> OperatorOrder {
        switch generator.below(100) {
        case 0..<40: .rotate(compromised: nil)
        case 40..<60: .resume
        case 60..<80: .abort
        case 80..<86: .rotate(compromised: .primary)
        case 86..<92: .rotate(compromised: .secondary)
        case 92..<96: .settle
        default: .accept(everybody)
        }
    }

    // MARK: Attending

    /// Does for the rotation what a person who reads `status` would do, then continues it.
    func attend() {
        let wait = faultsHaveCeased ? TimeSpan.hours(2) : patience()
        let record = store.record
        if record.restored != nil, !record.isUnderRecovery { return launch(.recover, wait: wait) }
        guard let rotation = record.rotation else { return }
        if let attention = rotation.attention {
            launch(answer(to: attention), wait: wait)
        } else if rotation.waiting?.kind == .person {
            launch(lendAHand(rotation.stage), wait: wait)
        } else {
            launch(.resume, wait: wait)
        }
    }

    /// Everybody who can be accepted not to have moved, those without a name included.
    private var everybody: [ConsumerName] {
        readers.compactMap(\.name) + [VaultStore.named("unregistered", of: LedgerEntry.self)]
    }

    private func answer(to attention: Attention) -> OperatorOrder {
        people.attempts += 1
        switch attention.cause {
        case .undrained:
            return .accept(everybody)
        case .quotaFull where store.record.isUnderRecovery:
            clearUnusedSecrets()
            return .resume
        case .quotaFull, .ambiguousOrphan, .unknownSecrets:
            clearUnknownSecrets()
            return .resume
        case .oldStillWorks:
            deleteAtConsole(attention.from)
            return .resume
        case .providerRefused:
            return .resume
        case .unproven:
            guard people.attempts.isMultiple(of: 3) else { return .resume }
            people.hasSettledUnproven = true
            return .settle
        case .activeRejected where attention.from == .minting:
            clearUnknownSecrets(evenOwned: true)
            return .resume
        case .activeRejected, .verificationFailed, .primaryRejected, .deadlineNear, .readBackMismatch:
            return [.resume, .abort, .settle][people.attempts % 3]
        }
    }

    /// The closing rounds: all faults have ceased, people do what they are asked for until nothing is left to do.
    func close() {
        after(2000) {
            guard !self.isAtWork else { return self.close() }
            self.people.attempts += 1
            let limit = self.people.hasMeddled ? Self.attemptLimit / 4 : Self.attemptLimit
            if self.people.attempts > limit { return self.giveUp() }
            if self.store.record.rotation != nil || self.store.record.restored != nil {
                self.attend()
                return self.close()
            }
            if !self.people.hasBegunLastRotation {
                self.people.hasBegunLastRotation = true
                self.launch(.rotate(compromised: nil), wait: .hours(2))
                return self.close()
            }
            let capabilities = self.scenario.capabilities
            let rest = self.scenario.claimTerm + capabilities.commitDelay + capabilities.propagationBound
            self.after(rest.milliseconds + 1000) {
                for checker in self.checkers { checker.checkQuiet(self) }
                self.happened("quiet")
                self.end()
            }
        }
    }

    private static let attemptLimit = 60

    /// Whether the provider's fuse has ended the active secret: while faults kept runners away, nobody could prevent it.
    var isStranded: Bool {
        let active = store.record.activeSlot.value.flatMap { server.secret(withValue: $0) }
        return active?.fuse.map { $0 <= now } ?? false
    }

    private func giveUp() {
        if !people.hasMeddled, !isStranded {
            let stage = store.record.rotation?.stage.rawValue ?? "idle"
            let cause = store.record.rotation?.attention.map { ", \($0.cause): \($0.message)" } ?? ""
            violate(5, "not over after \(Self.attemptLimit) commands without faults: \(stage)\(cause)")
        }
        end()
    }
}

internal import KeyoverCore

/// Everything about one simulated world that is drawn from the seed before it begins to move.
struct Scenario {
    let strategy: StrategyName
    let capabilities: Capabilities
    let policy: RotationPolicy
    let calendar: SimulatedCalendar
    let claimTerm: TimeSpan
    let replicas: Int
    let hosts: Int
    /// Whether hosts' clocks may be set while they run; then all runs on one host and one boot, since a jumped wall
    /// clock is all that other boots could compare with.
    let clocksJump: Bool
    let registeredConsumers: Int
    let anonymousReaders: Int
    let deliveries: Int
    /// Secrets at the provider that Keyover knows nothing of.
    let strangers: Int
    let primaryHasID: Bool
    /// How the provider answers a wrong secret.
    let refusal: AnswerShape
    /// The virtual time at which faults cease.
    let faultsCease: Int64
    /// Orders given before that.
    let orders: Int
    /// Fault rates in a thousand, by the fault's place among all faults.
    private let rates: [Int]

    func rate(_ fault: Fault) -> Int {
        Fault.allCases.firstIndex(of: fault).map { rates[$0] } ?? 0
    }

    init(using generator: inout SeededGenerator) {
        let isManual = generator.chance(250)
        strategy = StrategyName(isManual ? "manual" : "overlap-add")
        capabilities = Self.capabilities(isManual: isManual, using: &generator)
        policy = Self.policy(using: &generator)
        calendar =
            generator.chance(200)
            ? SimulatedCalendar(period: 600_000, open: 60_000 * generator.within(1...8)) : SimulatedCalendar()
        claimTerm = .seconds(generator.pick([5, 10, 30]))
        replicas = 1 + generator.below(3)
        clocksJump = generator.chance(300)
        hosts = clocksJump ? 1 : 1 + generator.below(2)
        registeredConsumers = generator.below(3)
        anonymousReaders = generator.below(2)
        deliveries = generator.pick([0, 0, 1, 2])
        strangers = generator.chance(150) ? 1 : 0
        primaryHasID = isManual ? generator.chance(500) : !generator.chance(80)
        refusal = generator.pick([
            AnswerShape(status: 401, error: "invalid_client"), AnswerShape(status: 400, error: "invalid_client"),
            AnswerShape(status: 403, error: nil), AnswerShape(status: 404, error: nil),
        ])
        orders = 1 + generator.below(5)
        faultsCease = generator.within(60_000...600_000)
        rates = Self.rates(clocksJump: clocksJump, using: &generator)
    }

    private static func rates(clocksJump: Bool, using generator: inout SeededGenerator) -> [Int] {
        let isCalm = generator.chance(60)
        return Fault.allCases.map { fault in
            let isOn = !isCalm && generator.chance(300)
            let rate = generator.pick([10, 30, 100])
            switch fault {
            case .meddling: return isOn && generator.chance(150) ? 300 : 0
            case .wallJump: return isOn && clocksJump ? rate : 0
            case .reboot: return isOn && !clocksJump ? rate : 0
            case .machineLost: return isOn ? 200 : 0
            case .valueMangled: return isOn && generator.chance(300) ? 300 : 0
            case .listLagging, .flapping, .commitDelayed, .answerLost, .requestLost, .throttled, .refusedOddly,
                .crashBeforeCommit,
                .crashAfterCommit, .secondRunner, .listFailed, .personErrs:
                return isOn ? rate * 4 : 0
            default: return isOn ? rate : 0
            }
        }
    }

    private static func capabilities(isManual: Bool, using generator: inout SeededGenerator) -> Capabilities {
        var result = Capabilities(maxSecrets: generator.pick([2, 2, 3, 5]))
        result.propagationBound = .milliseconds(generator.pick([0, 0, 500, 3000, 15_000, 30_000]))
        result.commitDelay = .seconds(generator.pick([1, 5, 20, 60]))
        result.verifyingExchanges = generator.pick([1, 3, 3, 8])
        result.locksOut = generator.chance(100)
        guard !isManual else { return result }
        result.deletesByID = true
        result.reversibleDeactivate = generator.chance(400)
        result.deactivateBeforeDelete = result.reversibleDeactivate && generator.chance(300)
        result.lastSecretGuard = generator.chance(300)
        result.evidence = generator.pick([.none, .perSecret, .perSecret])
        result.mintRepair = generator.chance(850) ? .removeTagged : .attention
        if generator.chance(150) {
            result.addStartsFuse = .minutes(generator.pick([3, 10, 90, 24 * 60]))
            result.removalCancelsFuse = generator.chance(500)
        }
        return result
    }

    private static func policy(using generator: inout SeededGenerator) -> RotationPolicy {
        var result = RotationPolicy()
        result.consumerCache = .seconds(generator.pick([0, 1, 5, 30, 60]))
        result.minimumOverlap = .seconds(generator.pick([0, 0, 10, 90]))
        result.maximumOverlap = .seconds(generator.pick([60, 300]))
        result.soak = .seconds(generator.pick([0, 5, 60]))
        result.verificationPatience = .seconds(generator.pick([5, 20, 60]))
        return result
    }
}

/// Windows that open for a while once a period, by the wall clock.
struct SimulatedCalendar: RotationCalendar {
    var period: Int64 = 1
    var open: Int64 = 1

    func opening(from moment: Timestamp) -> Timestamp? {
        let phase = ((moment.millisecondsSinceEpoch % period) + period) % period
        return phase < open ? moment : moment + .milliseconds(period - phase)
    }
}

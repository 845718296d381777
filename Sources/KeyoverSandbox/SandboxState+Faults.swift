/// What is to go wrong with one request.
struct FaultPlan: Sendable {
    struct Throttle: Sendable {
        let status: Int
        let retryAfter: RetryAfterForm
        let seconds: Int
    }

    var throttle: Throttle?
    var delayBefore = 0
    var delayAfter = 0
    var paddingBytes = 0
    var dripBytes = 0
    var dripMilliseconds = 0
}

extension SandboxState {
    /// Decides, before a request is carried out, what is to go wrong with it.
    mutating func planFaults(for operation: SandboxOperation) -> FaultPlan {
        arrivals[operation, default: 0] += 1
        var plan = FaultPlan()
        plan.throttle = planThrottle(for: operation)
        plan.delayBefore = profile.delayBeforeMilliseconds[operation] ?? 0
        plan.delayAfter = profile.delayAfterMilliseconds[operation] ?? 0
        if profile.bulkyOperations.contains(operation) {
            plan.paddingBytes = profile.bodyPaddingBytes
            plan.dripBytes = profile.dripBytes
            plan.dripMilliseconds = profile.dripMilliseconds
        }
        return plan
    }

    private mutating func planThrottle(for operation: SandboxOperation) -> FaultPlan.Throttle? {
        guard profile.throttleNext > 0 || profile.throttleFraction > 0,
            profile.throttledOperations.contains(operation)
        else { return nil }
        if profile.throttleNext > 0 {
            profile.throttleNext -= 1
        } else if !happens(toShare: profile.throttleFraction) {
            return nil
        }
        return FaultPlan.Throttle(
            status: choose(among: profile.throttleStatuses) ?? 429,
            retryAfter: choose(among: profile.retryAfterForms) ?? .absent, seconds: profile.retryAfterSeconds)
    }

    /// Decides whether the answer to a request that has been carried out gets lost.
    mutating func losesAnswer(to operation: SandboxOperation) -> Bool {
        if operation == .token {
            guard profile.loseTokenAnswers > 0 else { return false }
            profile.loseTokenAnswers -= 1
            return true
        }
        guard operation.isSecretWrite else { return false }
        if profile.loseAnswers > 0 {
            profile.loseAnswers -= 1
            return true
        }
        return happens(toShare: profile.loseAnswersFraction)
    }
}

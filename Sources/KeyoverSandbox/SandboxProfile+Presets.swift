extension SandboxProfile {
    /// Every preset: one function and one line here.
    public static let presets: [SandboxProfile] = [
        calm, propagating, flapping, throttled, lossy, odd, slow, bulky, fused, skewed, awkward,
    ]

    /// The preset of that name.
    public static func preset(named name: String) -> SandboxProfile? {
        presets.first { $0.name == name }
    }

    /// No fault at all.
    public static let calm = SandboxProfile()

    /// Three replicas see a change of a secret up to two seconds late.
    public static let propagating = named("propagating") { profile in
        profile.replicas = 3
        profile.propagationMilliseconds = 2000
    }

    /// Three replicas see a change up to three seconds late, and change their minds until then.
    public static let flapping = named("flapping") { profile in
        profile.replicas = 3
        profile.propagationMilliseconds = 3000
        profile.flapping = true
    }

    /// Nearly every third request is told to come back later, in all the ways there are.
    public static let throttled = named("throttled") { profile in
        profile.throttleFraction = 0.3
        profile.throttleStatuses = [429, 503]
        profile.retryAfterForms = [.seconds, .date, .absent]
    }

    /// Every third write to a secret is carried out and never answered.
    public static let lossy = named("lossy") { profile in
        profile.loseAnswersFraction = 0.33
    }

    /// Error codes and token answers as some servers in the field give them.
    public static let odd = named("odd") { profile in
        profile.wrongSecret = .forbidden
        profile.unknownClient = .notFound
        profile.disabledClient = .unauthorizedClient
        profile.quotaStatus = 400
        profile.expiresIn = .string
        profile.omitScope = true
        profile.secretAlphabet = .hostile
    }

    /// Every secret call takes its time both before and after it commits.
    public static let slow = named("slow") { profile in
        let calls = SandboxOperation.exchangesAndSecretCalls.filter { $0 != .token }
        profile.delayBeforeMilliseconds = Dictionary(uniqueKeysWithValues: calls.map { ($0, 1500) })
        profile.delayAfterMilliseconds = Dictionary(uniqueKeysWithValues: calls.map { ($0, 1500) })
        profile.delayBeforeMilliseconds[.token] = 300
    }

    /// Token answers of eight megabytes that arrive in pieces.
    public static let bulky = named("bulky") { profile in
        profile.bodyPaddingBytes = 8 << 20
        profile.dripBytes = 64 << 10
        profile.dripMilliseconds = 10
        profile.nestingDepth = 400
    }

    /// Adding a secret gives the older ones a minute to live.
    public static let fused = named("fused") { profile in
        profile.fuseSeconds = 60
    }

    /// The server's clock is seven minutes ahead.
    public static let skewed = named("skewed") { profile in
        profile.dateSkewSeconds = 420
    }

    /// A little of everything that a rotation has to live through.
    public static let awkward = named("awkward") { profile in
        profile.replicas = 3
        profile.replicaChoice = .random
        profile.propagationMilliseconds = 2000
        profile.flapping = true
        profile.throttleFraction = 0.1
        profile.throttleStatuses = [429, 503]
        profile.retryAfterForms = [.seconds, .date]
        profile.loseAnswersFraction = 0.1
        profile.wrongSecret = .badRequest
        profile.expiresIn = .absent
        profile.omitScope = true
        profile.secretAlphabet = .hostile
    }

    private static func named(_ name: String, _ change: (inout SandboxProfile) -> Void) -> SandboxProfile {
        var profile = SandboxProfile()
        profile.name = name
        change(&profile)
        return profile
    }
}

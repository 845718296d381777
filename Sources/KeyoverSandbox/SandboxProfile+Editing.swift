import FoundationEssentials

extension SandboxProfile {
    /// The profile with the knobs that a JSON object names; a knob is replaced whole.
    ///
    /// The member `preset` starts from that preset instead. An unknown knob is an error, so that a misspelt one cannot
    /// leave a rehearsal calmer than it looks.
    public func applying(json: some Collection<UInt8>) throws(SandboxError) -> SandboxProfile {
        var changes = try Self.members(of: Data(json))
        var base = self
        if let preset = changes.removeValue(forKey: "preset") {
            guard case .string(let name) = preset, let found = Self.preset(named: name) else {
                throw .invalid("there is no such preset", remedy: "choose one of \(Self.presetNames)")
            }
            base = found
        }
        return try base.applying(changes)
    }

    private func applying(_ changes: [String: JSONValue]) throws(SandboxError) -> SandboxProfile {
        var members = try knobs()
        for (knob, value) in changes {
            guard members.updateValue(value, forKey: knob) != nil else {
                throw .invalid("there is no knob \(knob)", remedy: "see the knobs with GET /admin/profile")
            }
        }
        let edited: SandboxProfile
        do {
            edited = try JSONDecoder().decode(SandboxProfile.self, from: JSONEncoder().encode(members))
        } catch DecodingError.typeMismatch(_, let context), DecodingError.dataCorrupted(let context),
            DecodingError.valueNotFound(_, let context)
        {
            let knob = context.codingPath.first?.stringValue ?? "a knob"
            throw .invalid("\(knob) has a value of the wrong kind", remedy: "see the knobs with GET /admin/profile")
        } catch {
            throw .invalid("the profile cannot be read", remedy: "see the knobs with GET /admin/profile")
        }
        try edited.validate()
        return edited
    }

    /// Refuses what no server could do, or what would tie up the machine.
    public func validate() throws(SandboxError) {
        let limits: [(String, Int, ClosedRange<Int>)] = [
            ("maxSecrets", maxSecrets, 1...1000),
            ("fuseSeconds", fuseSeconds, 0...31_536_000),
            ("replicas", replicas, 1...64),
            ("propagationMilliseconds", propagationMilliseconds, 0...86_400_000),
            ("flapMilliseconds", flapMilliseconds, 1...86_400_000),
            ("maxLiveTokens", maxLiveTokens, 1...1_000_000),
            ("nestingDepth", nestingDepth, 0...100_000),
            ("throttleNext", throttleNext, 0...Int.max),
            ("retryAfterSeconds", retryAfterSeconds, 0...86_400),
            ("loseAnswers", loseAnswers, 0...Int.max),
            ("loseTokenAnswers", loseTokenAnswers, 0...Int.max),
            ("bodyPaddingBytes", bodyPaddingBytes, 0...(1 << 30)),
            ("dripBytes", dripBytes, 0...(1 << 30)),
            ("dripMilliseconds", dripMilliseconds, 0...600_000),
            ("dateSkewSeconds", dateSkewSeconds, -315_360_000...315_360_000),
        ]
        let delays = [delayBeforeMilliseconds, delayAfterMilliseconds].flatMap { delays in
            delays.map { ("the delay of \($0.key.rawValue)", $0.value, 0...600_000) }
        }
        for (knob, value, limit) in limits + delays where !limit.contains(value) {
            throw .invalid("\(knob) must lie between \(limit.lowerBound) and \(limit.upperBound)")
        }
        let shares = [("throttleFraction", throttleFraction), ("loseAnswersFraction", loseAnswersFraction)]
        for (knob, share) in shares where !(0...1).contains(share) {
            throw .invalid("\(knob) must lie between 0 and 1")
        }
        guard [400, 409].contains(quotaStatus) else { throw .invalid("quotaStatus must be 400 or 409") }
        guard !throttleStatuses.isEmpty, throttleStatuses.allSatisfy([429, 503].contains) else {
            throw .invalid("throttleStatuses must hold 429, 503 or both")
        }
        guard !retryAfterForms.isEmpty else { throw .invalid("retryAfterForms must not be empty") }
    }

    static var presetNames: String {
        presets.map(\.name).joined(separator: ", ")
    }

    private func knobs() throws(SandboxError) -> [String: JSONValue] {
        do {
            return try Self.members(of: JSONEncoder().encode(self))
        } catch {
            throw .invalid("the profile cannot be written: a knob holds no number")
        }
    }

    private static func members(of json: Data) throws(SandboxError) -> [String: JSONValue] {
        guard let members = try? JSONDecoder().decode([String: JSONValue].self, from: json) else {
            throw .invalid("the body is not a JSON object", remedy: "send the knobs to set, such as {\"replicas\": 3}")
        }
        return members
    }
}

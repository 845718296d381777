import KeyoverCore
import Testing

@Suite struct ProbeVerdictTests {
    private static func answered(_ status: Int, _ code: String? = "invalid_client") -> ProbeVerdict.Outcome {
        .answered(AnswerShape(status: status, error: code), .credentialRejected)
    }

    @Test func aTokenIsProofWithoutControls() {
        #expect(ProbeVerdict(probe: .granted, random: nil, good: nil) == .accepted)
        #expect(ProbeVerdict(probe: .granted, random: Self.answered(401), good: .granted) == .accepted)
    }

    @Test(arguments: [400, 401, 403, 404])
    func answeredAsARandomSecretWhileAKnownOneWorksIsRefused(status: Int) {
        let verdict = ProbeVerdict(probe: Self.answered(status), random: Self.answered(status), good: .granted)
        #expect(verdict == .refused)
    }

    @Test func anythingLessIsInconclusive() {
        let no = Self.answered(401)
        let cases: [(probe: ProbeVerdict.Outcome, random: ProbeVerdict.Outcome?, good: ProbeVerdict.Outcome?)] = [
            (no, nil, nil), (no, nil, .granted), (no, no, nil), (no, no, no), (no, no, .noAnswer("reset")),
            (no, Self.answered(403), .granted), (no, Self.answered(401, "other"), .granted),
            (no, Self.answered(401, nil), .granted), (no, .granted, .granted), (no, .noAnswer("reset"), .granted),
            (.noAnswer("reset"), no, .granted), (.noAnswer("reset"), nil, nil),
        ]
        for (probe, random, good) in cases {
            guard case .inconclusive(let why) = ProbeVerdict(probe: probe, random: random, good: good) else {
                Issue.record("\(probe), \(String(describing: random)), \(String(describing: good))")
                continue
            }
            #expect(!why.isEmpty)
        }
    }
}

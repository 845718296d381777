import Foundation
import KeyoverSandbox
import Testing

@Suite struct ProfileTests {
    @Test(arguments: SandboxProfile.presets)
    func presetsAreValidAndSurviveJSON(_ profile: SandboxProfile) throws {
        try profile.validate()
        let json = try JSONEncoder().encode(profile)
        #expect(try JSONDecoder().decode(SandboxProfile.self, from: json) == profile)
        #expect(SandboxProfile.preset(named: profile.name) == profile)
    }

    @Test func presetNamesAreUnique() {
        #expect(Set(SandboxProfile.presets.map(\.name)).count == SandboxProfile.presets.count)
    }

    @Test func aPatchLeavesOtherKnobsAndAPutDoesNot() async throws {
        try await withSandbox(.flapping) { caller in
            let patched = try await caller.admin("PATCH", "/profile", "{\"maxLiveTokens\":50}")
            #expect(patched.member("replicas") as? Int == 3)
            #expect(caller.server.profile.maxLiveTokens == 50)
            let put = try await caller.admin("PUT", "/profile", "{\"preset\":\"odd\",\"seed\":7}")
            #expect(put.member("name") as? String == "odd")
            #expect(put.member("seed") as? Int == 7)
            #expect(caller.server.profile.maxLiveTokens == 10)
            #expect(caller.server.profile.wrongSecret == .forbidden)
            #expect(try await caller.admin("GET", "/profile").json.count == put.json.count)
        }
    }

    @Test(arguments: [
        "{\"replica\":3}", "{\"replicas\":0}", "{\"replicas\":\"3\"}", "{\"preset\":\"none\"}", "{\"preset\":1}",
        "{\"throttleFraction\":1.5}", "{\"throttleStatuses\":[]}", "{\"throttleStatuses\":[200]}",
        "{\"retryAfterForms\":[\"never\"]}", "{\"delayBeforeMilliseconds\":{\"everything\":1}}",
        "{\"delayAfterMilliseconds\":{\"token\":-1}}", "{\"wrongSecret\":null}", "[]", "",
        "{\"propagationMilliseconds\":99999999999999999999}",
    ])
    func refusesWhatNoSandboxCanFollow(_ body: String) async throws {
        try await withSandbox(.odd) { caller in
            let answer = try await caller.admin("PATCH", "/profile", body)
            #expect(answer.status == 400)
            #expect(answer.error == "invalid_request")
            #expect(caller.server.profile == .odd)
        }
    }

    @Test func presetsAreListed() async throws {
        try await withSandbox { caller in
            let presets = try await caller.admin("GET", "/presets").member("presets") as? [[String: Any]]
            #expect(presets?.compactMap { $0["name"] as? String } == SandboxProfile.presets.map(\.name))
        }
    }
}

@Suite struct InstantTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2027-01-15T08:00:00.5Z", 1_800_000_000_500),
            ("2024-02-29t23:59:59.123456z", 1_709_251_199_123), ("1969-12-31T23:59:59.999Z", -1),
        ] as [(String, Int64)])
    func readsRFC3339(_ text: String, _ milliseconds: Int64) throws {
        let instant = try #require(SandboxInstant(text))
        #expect(instant.milliseconds == milliseconds)
        #expect(SandboxInstant(instant.description) == instant)
    }

    @Test(arguments: [
        "", "Z", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+01:00", "+026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.0000000000Z",
    ])
    func refusesOtherTexts(_ text: String) {
        #expect(SandboxInstant(text) == nil)
    }
}

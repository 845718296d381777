import FoundationEssentials
import KeyoverCompliance
import KeyoverCore
import Testing

/// Policy files: what they set, and where a mistake in them is found.
@Suite("Policy files")
struct PolicyLoaderTests {
    private func parse(_ text: String) throws(PolicyError) -> RotationPolicy {
        try PolicyLoader().parse(text, named: "/policies/strict.yaml")
    }

    private func error(in text: String) -> PolicyError? {
        do {
            _ = try parse(text)
            return nil
        } catch {
            return error
        }
    }

    @Test("every key sets its value")
    func everyKey() throws {
        let policy = try parse(
            """
            name: strict
            summary: For clients that move money.
            maximum_age: 30d
            act_before: 2d
            minimum_overlap: 1h
            maximum_overlap: 3d
            consumer_cache: 90s
            soak: 10m
            verifying_exchanges: 8
            verification_patience: 500ms
            allowed_scopes: [read, "write:all"]
            """)
        var expected = RotationPolicy()
        expected.name = "strict"
        expected.maximumAge = .days(30)
        expected.actBefore = .days(2)
        expected.minimumOverlap = .hours(1)
        expected.maximumOverlap = .days(3)
        expected.consumerCache = .seconds(90)
        expected.soak = .minutes(10)
        expected.verifyingExchanges = 8
        expected.verificationPatience = .milliseconds(500)
        expected.allowedScopes = ["read", "write:all"]
        #expect(policy == expected)
    }

    @Test("what is left out keeps its default, and the file gives the name")
    func defaults() throws {
        var expected = RotationPolicy()
        expected.name = "strict"
        #expect(try parse("") == expected)
        #expect(try parse("# nothing\n") == expected)
    }

    @Test("an unknown key is an error with its line and column")
    func unknownKey() {
        let error = error(in: "name: a\n\n# a comment\nmaximum_agee: 90d\n")
        #expect(error?.code == .unknownKey)
        #expect(error?.message == "/policies/strict.yaml:4:1: a policy has no key maximum_agee")
        #expect(error?.remedy?.contains("maximum_age") == true)
    }

    @Test(
        "a value that a key does not take is an error at its place",
        arguments: [
            "maximum_age: 90", "maximum_age: [90d]", "maximum_age: -1d", "verifying_exchanges: 0",
            "verifying_exchanges: many", "allowed_scopes: read", "allowed_scopes: [a, [b]]", "name: ''",
            "soak: {days: 1}", "act_before: 99999999999999999999d",
        ])
    func invalidValue(_ line: String) {
        let error = error(in: "summary: x\n\(line)\n")
        #expect(error?.code == .invalidValue || error?.code == .unreadable)
        #expect(error?.message.hasPrefix("/policies/strict.yaml:2:") == true)
    }

    @Test(
        "a key that stands there twice, and what is no mapping, are refused",
        arguments: ["soak: 1s\nsoak: 2s", "- a", "a", "a: [", "\t: x"])
    func malformed(_ text: String) {
        #expect(error(in: text) != nil)
    }

    @Test("figures that contradict each other are refused")
    func contradictions() {
        #expect(error(in: "maximum_age: 10d\nact_before: 10d")?.code == .invalidValue)
        #expect(error(in: "minimum_overlap: 8d")?.code == .invalidValue)
    }

    @Test("an alias that multiplies itself does not multiply")
    func aliases() {
        var text = "a: &a0 [x, x]\n"
        for level in 1...40 { text += "k\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(error(in: text) != nil)
    }

    @Test("the policy that comes with Keyover is the built-in one under its own name")
    func shipped() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let policies = try PolicyLoader().load(directory: root.appending(path: "Policies").path).policies
        var expected = RotationPolicy()
        expected.name = "rotation-90-days"
        #expect(policies == [expected])
    }
}

/// Which policy a client falls under.
@Suite("Policies and clients")
struct PolicySetTests {
    private func client(labels: [String: String] = [:]) throws -> ClientRecord {
        let tenant = try #require(TenantName("ops"))
        let name = try #require(ClientName("billing-sync"))
        var generator = SystemRandomNumberGenerator()
        let now = Timestamp(millisecondsSinceEpoch: 0)
        var registration = Registration(tenant: tenant)
        registration.labels = labels
        return ClientRecord(
            id: UUIDv7(at: now, using: &generator), name: name, registration: registration,
            primary: Slot(clientID: "id", value: nil, fingerprint: Fingerprint(bytes: []), storedAt: now),
            createdAt: now)
    }

    private func policy(_ name: String) -> RotationPolicy {
        var policy = RotationPolicy()
        policy.name = name
        return policy
    }

    @Test("without files the built-in policy holds")
    func builtIn() throws {
        #expect(try PolicySet().policy(for: try client()) == RotationPolicy())
    }

    @Test("one policy holds for all that name none")
    func single() throws {
        let set = PolicySet([policy("strict")])
        #expect(try set.policy(for: try client()).name == "strict")
        #expect(try set.policy(for: try client(labels: ["policy": "strict"])).name == "strict")
    }

    @Test("of several, the label decides, and default holds for the others")
    func several() throws {
        let set = PolicySet([policy("strict"), policy("default")])
        #expect(try set.policy(for: try client(labels: ["policy": "strict"])).name == "strict")
        #expect(try set.policy(for: try client()).name == "default")
    }

    @Test("a label that names no policy is an error, never a fall-back")
    func unknown() throws {
        for set in [PolicySet(), PolicySet([policy("a")]), PolicySet([policy("a"), policy("default")])] {
            let client = try client(labels: ["policy": "stric"])
            #expect(throws: PolicyError.self) { try set.policy(for: client) }
        }
        let client = try client()
        #expect(throws: PolicyError.self) { try PolicySet([policy("a"), policy("b")]).policy(for: client) }
    }
}

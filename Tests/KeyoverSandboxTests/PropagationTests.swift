import KeyoverSandbox
import Testing

@Suite struct PropagationTests {
    private static let lagging = calm {
        $0.replicas = 3
        $0.propagationMilliseconds = 10_000
    }

    /// Asks every replica in turn, once.
    private func verdicts(_ caller: Caller, _ secret: String) async throws -> [Bool] {
        var verdicts: [Bool] = []
        for _ in 0..<3 { verdicts.append(try await caller.exchange("app", secret).status == 200) }
        return verdicts
    }

    @Test func anAddedSecretReachesEveryReplicaByTheBoundAndOneOnlyThen() async throws {
        try await withSandbox(Self.lagging) { caller in
            let (_, first) = try caller.server.createClient(clientID: "app")
            let second = try await caller.addSecret("app")
            #expect(try await verdicts(caller, first) == [true, true, true])
            var acceptedBefore = 0
            for _ in 0..<10 {
                let verdicts = try await verdicts(caller, second.value)
                let accepted = verdicts.count { $0 }
                #expect(accepted >= acceptedBefore && accepted < 3)
                acceptedBefore = accepted
                caller.clock.advance(bySeconds: 1)
            }
            #expect(try await verdicts(caller, second.value) == [true, true, true])
        }
    }

    @Test func aDeletedSecretIsHonouredByLaggardsUntilTheBound() async throws {
        try await withSandbox(Self.lagging) { caller in
            let (firstID, first) = try caller.server.createClient(clientID: "app")
            _ = try await caller.addSecret("app")
            caller.clock.advance(bySeconds: 10)
            #expect(try await caller.admin("DELETE", "/clients/app/secrets/\(firstID)").status == 204)
            #expect(try await verdicts(caller, first).contains(true))
            caller.clock.advance(bySeconds: 9)
            #expect(try await verdicts(caller, first).contains(true))
            caller.clock.advance(bySeconds: 1)
            #expect(try await verdicts(caller, first) == [false, false, false])
            // The value is forgotten by now; its digest still finds the tombstone.
            let stats = try caller.server.stats(clientID: "app")
            #expect(stats.secrets[0].refused >= 3)
            #expect(stats.unknown.refused == 0)
        }
    }

    @Test func flappingTakesBackAFirstSuccessButEndsAtTheBound() async throws {
        let profile = calm {
            $0.propagationMilliseconds = 60_000
            $0.flapping = true
            $0.flapMilliseconds = 1000
        }
        try await withSandbox(profile) { caller in
            _ = try caller.server.createClient(clientID: "app")
            let second = try await caller.addSecret("app")
            var verdicts: [Bool] = []
            for _ in 0..<60 {
                verdicts.append(try await caller.exchange("app", second.value).status == 200)
                caller.clock.advance(bySeconds: 1)
            }
            let firstSuccess = try #require(verdicts.firstIndex(of: true))
            #expect(verdicts[firstSuccess...].contains(false))
            for _ in 0..<5 { #expect(try await caller.exchange("app", second.value).status == 200) }
        }
    }

    @Test func calmingTheProfileConvergesAtOnce() async throws {
        try await withSandbox(Self.lagging) { caller in
            _ = try caller.server.createClient(clientID: "app")
            let second = try await caller.addSecret("app")
            #expect(try await verdicts(caller, second.value).contains(false))
            #expect(try await caller.admin("PUT", "/profile", "{\"preset\":\"calm\"}").status == 200)
            #expect(try await verdicts(caller, second.value) == [true, true, true])
        }
    }
}

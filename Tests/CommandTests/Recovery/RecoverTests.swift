import FoundationEssentials
import Glibc
import KeyoverSandbox
import Testing

/// `vault restore`, then `recover`, against a provider that went on meanwhile.
@Suite("Recovering")
struct RecoverTests {
    @Test("what came out of a backup is given out in no form before it is recovered, and not rotated either")
    func locked() async throws {
        try await Rehearsal.run { rehearsal in
            try await rehearsal.lose(andRestore: try await rehearsal.backUp())
            let client = Rehearsal.client
            for command in [
                ["get", client], ["get", client, "--format", "json"], ["get", client, "--field", "client_id"],
                ["get", client, "--as", "web-1"], ["get", client, "--as", "web-1", "--format", "json"],
                ["token", client], ["token", client, "--format", "json"], ["rotate", client], ["resume", client],
                ["abort", client], ["settle", client], ["rotate", "--due"],
            ] {
                let result = try await rehearsal.home.start(command).finish()
                #expect(result.exitCode == 7, "\(command): \(result.errors)")
                #expect((result.output + result.errors).contains("keyover recover \(client)"), "\(command)")
                #expect(!(result.output + result.errors).contains(rehearsal.firstSecret), "\(command)")
                #expect(result.output.isEmpty || command.contains("--due"), "\(command)")
            }
            #expect(try rehearsal.writes().isEmpty, "nothing was written at the provider")
            let status = try await rehearsal.status()
            #expect(status.next == "keyover recover \(client)")
            #expect(try await rehearsal.home.succeed("client", "list").contains("restored"))

            #expect(try await rehearsal.recovered().outcome == "recovered")
            #expect(try await rehearsal.activeSecret() == rehearsal.firstSecret)
            #expect(try await rehearsal.recovered().outcome == "notNeeded")
            #expect(rehearsal.hasNoted("client.recovered"))
            #expect(!rehearsal.hasNoted("client.recovered", times: 2))
            #expect(try await rehearsal.run("rotate").exitCode == 0)
            try await rehearsal.expectWhole("completed")
        }
    }

    @Test(
        "a rotation that went to its end after the backup ends well",
        arguments: ["staged", "verifying", "cutOver", "draining", "deactivating", "soaking", "retiring"])
    func completedMeanwhile(stage: String) async throws {
        try await Rehearsal.run { rehearsal in
            #expect(try await rehearsal.rotate("--until", stage).finish().exitCode == 0)
            let backup = try await rehearsal.backUp()
            #expect(try await rehearsal.run("resume").exitCode == 0)
            let last = try await rehearsal.activeSecret()
            try await rehearsal.lose(andRestore: backup)

            let report = try await rehearsal.recovered()
            #expect(report.outcome == "recovered" && report.exitCode == 0)
            #expect(try await rehearsal.activeSecret() == last)
            if try await rehearsal.status().rotation != nil {
                #expect(report.next == "keyover resume \(Rehearsal.client)")
                #expect(try await rehearsal.run("resume").exitCode == 0)
            } else {
                // Found stale, and ended in favour of what it had brought in.
                #expect(["staged", "verifying"].contains(stage))
                #expect(try await rehearsal.run("rotate").exitCode == 0)
            }
            try await rehearsal.expectWhole("completed")
        }
    }

    @Test("a rotation that was given up after the backup ends on the secret that is left")
    func abortedMeanwhile() async throws {
        try await Rehearsal.run { rehearsal in
            #expect(try await rehearsal.rotate("--until", "draining").finish().exitCode == 0)
            let backup = try await rehearsal.backUp()
            #expect(try await rehearsal.run("abort").exitCode == 0)
            try await rehearsal.lose(andRestore: backup)
            #expect(try await rehearsal.recovered().outcome == "recovered")
            #expect(try await rehearsal.activeSecret() == rehearsal.firstSecret)
            #expect(try await rehearsal.run("rotate").exitCode == 0)
            try await rehearsal.expectWhole("completed")
        }
    }

    @Test("rotations later, no secret of the backup works: a new one is made, and the last one goes behind the gate")
    func bothDead() async throws {
        try await Rehearsal.run { rehearsal in
            let backup = try await rehearsal.backUp()
            try await rehearsal.rotate(times: 2)
            let last = try await rehearsal.activeSecret()
            try await rehearsal.lose(andRestore: backup)

            let process = try rehearsal.home.start(["recover", Rehearsal.client, "--reason", "the machine burnt"])
            try await eventually("the drain") { process.errorsSoFar.contains("draining") }
            #expect(try await !rehearsal.consumer.use(last).isRefused, "applications that still run go on")
            let result = try await process.finish()
            #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
            try await rehearsal.expectWhole("completed")
            #expect(try await rehearsal.activeSecret() != last)
            #expect(try await rehearsal.consumer.use(last).isRefused, "what nobody answers for is gone")
            #expect(rehearsal.hasNoted("secret.adopted"))
            #expect(try await rehearsal.recovered().outcome == "notNeeded")
        }
    }

    @Test("a provider that does not answer proves nothing: nothing is changed")
    func silence() async throws {
        try await Rehearsal.run { rehearsal in
            let backup = try await rehearsal.backUp()
            try await rehearsal.rotate(times: 1)
            try await rehearsal.lose(andRestore: backup)
            var profile = rehearsal.server.profile
            profile.throttleNext = 10_000
            profile.throttleStatuses = [503]
            try rehearsal.server.setProfile(profile)
            let writes = try rehearsal.writes()
            let result = try await rehearsal.run("recover")
            #expect(result.exitCode == 1)
            #expect(result.errors.contains("nothing was changed"), "\(result.errors)")
            #expect(try await rehearsal.run("get").exitCode == 7)
            #expect(try rehearsal.writes() == writes)

            profile.throttleNext = 0
            try rehearsal.server.setProfile(profile)
            #expect(try await rehearsal.run("recover").exitCode == 0)
            try await rehearsal.expectWhole("completed")
        }
    }

    @Test("where the admin credential is dead too, the error names the way, and nothing is lost")
    func adminCredential() async throws {
        try await Rehearsal.run { rehearsal in
            let home = rehearsal.home
            try await home.succeed("tenant", "edit", "ops", "--admin-stdin", input: "worn-out")
            let backup = try await rehearsal.backUp()
            let good = try home.write(rehearsal.server.adminToken, to: "admin")
            try await home.succeed("tenant", "edit", "ops", "--admin-file", good)
            try await rehearsal.rotate(times: 1)
            try await rehearsal.lose(andRestore: backup)

            let result = try await rehearsal.run("recover")
            #expect(result.exitCode == 1)
            #expect(result.errors.contains("keyover tenant edit ops --admin-file FILE"), "\(result.errors)")
            #expect(try await rehearsal.run("get").exitCode == 7)
            try await home.succeed("tenant", "edit", "ops", "--admin-file", good)
            #expect(try await rehearsal.run("recover").exitCode == 0)
            try await rehearsal.expectWhole("completed")
        }
    }

    @Test("where a person makes the secrets, recovery waits for one and goes on with it")
    func manual() async throws {
        try await Rehearsal.run { rehearsal in
            let (home, name) = (rehearsal.home, "legacy")
            let first = try rehearsal.server.createClient(clientID: name, scopes: ["read"], secret: nil)
            try await home.succeed(
                "tenant", "add", "console", "--provider", "manual", "--set",
                "token_url=\(rehearsal.server.baseURL)/oauth/token", "--set", "allow_loopback_http=true", "--set",
                "propagation=1s")
            try await home.succeed(
                "client", "add", name, "--tenant", "console", "--client-id", name, "--scope", "read",
                "--consumer-cache", "2s", "--secret-stdin", input: first.secret)
            let backup = try await rehearsal.backUp()
            // Rotated by hand after the backup.
            #expect(try await rehearsal.atConsole("POST", "\(name)/secrets").secret != nil)
            let ids = try rehearsal.server.stats(clientID: name).secrets.map(\.id)
            #expect(try await rehearsal.atConsole("DELETE", "\(name)/secrets/\(ids[0])").status < 300)
            try await rehearsal.lose(andRestore: backup)

            let waiting = try await home.run("recover", name)
            #expect(waiting.exitCode == 8, "\(waiting.output)\(waiting.errors)")
            #expect(waiting.output.contains("keyover resume \(name) --secret-stdin"))
            #expect(try await home.run("get", name).exitCode == 7)
            let second = try #require(try await rehearsal.atConsole("POST", "\(name)/secrets").secret)
            let done = try await home.run("resume", name, "--secret-stdin", input: second)
            #expect(done.exitCode == 0, "\(done.output)\(done.errors)")
            #expect(try await home.succeed("get", name) == second + "\n")
        }
    }

    @Test(
        "killed in the middle, recover goes on when it is said again", arguments: ["minting", "verifying", "draining"])
    func killed(stage: String) async throws {
        try await Rehearsal.run { rehearsal in
            let backup = try await rehearsal.backUp()
            try await rehearsal.rotate(times: 1)
            try await rehearsal.lose(andRestore: backup)
            if stage == "minting" { try rehearsal.slow(after: [.add: 3000]) }
            let writes = rehearsal.writes(.add)
            let process = try rehearsal.home.start(["recover", Rehearsal.client])
            try await eventually(stage) {
                if stage == "minting" { return rehearsal.writes(.add) > writes }
                return process.errorsSoFar.contains("\(Rehearsal.client): \(stage)\n")
            }
            process.send(SIGKILL)
            try await process.finish()
            try rehearsal.slow()
            #expect(try await rehearsal.run("get").exitCode == (stage == "draining" ? 0 : 7))
            let result = try await rehearsal.run("recover")
            // What the answer of the lost mint would have brought fills the second slot, and is this rotation's own.
            #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
            try await rehearsal.expectWhole("completed")
        }
    }

    @Test("of two recoveries at once neither harms the other")
    func two() async throws {
        try await Rehearsal.run { rehearsal in
            let backup = try await rehearsal.backUp()
            try await rehearsal.rotate(times: 1)
            try await rehearsal.lose(andRestore: backup)
            let adds = rehearsal.writes(.add)
            let both = try (0..<2).map { _ in try rehearsal.home.start(["recover", Rehearsal.client]) }
            var codes: [Int32] = []
            for process in both { codes.append(try await process.finish().exitCode ?? -1) }
            #expect(codes.contains(0) && codes.allSatisfy { [0, 6].contains($0) }, "\(codes)")
            #expect(rehearsal.writes(.add) == adds + 1)
            try await rehearsal.expectWhole("completed")
        }
    }
}

import FoundationEssentials
import Glibc
import KeyoverSandbox
import Testing

/// What programs read, and how commands that go on for ever end.
@Suite("Output and endings")
struct OutputTests {
    /// Any JSON value, read to its end.
    private struct AnyValue: Decodable {
        init(from decoder: any Decoder) throws {}
    }

    @Test("whatever answers in tables answers in JSON as well, and says nothing else on standard output")
    func json() async throws {
        try await Rehearsal.run { rehearsal in
            let client = Rehearsal.client
            let commands = [
                ["status"], ["status", client], ["client", "list"], ["client", "show", client], ["tenant", "list"],
                ["tenant", "show", "ops"], ["config"], ["vault", "status"], ["vault", "verify"], ["explain", client],
                ["rotate", client, "--dry-run"], ["verify", client], ["log", "--verify"], ["token", client],
                ["get", client], ["rotate", client, "--until", "staged"], ["resume", client, "--until", "verifying"],
                ["abort", client],
            ]
            for command in commands {
                let result = try await rehearsal.home.start(command + ["--format", "json"]).finish()
                #expect(result.exitCode == 0, "\(command): \(result.errors)")
                #expect(throws: Never.self, "\(command): \(result.output)") {
                    try JSONDecoder().decode(AnyValue.self, from: Data(result.output.utf8))
                }
            }
            // One entry a line, so that a log can be read while it grows.
            let log = try await rehearsal.home.succeed("log", "--format", "json")
            for line in log.split(separator: "\n") {
                #expect(throws: Never.self) { try JSONDecoder().decode(AnyValue.self, from: Data(line.utf8)) }
            }
        }
    }

    @Test("no colour and no cursor movement reach what is no terminal")
    func plain() async throws {
        try await Rehearsal.run { rehearsal in
            let result = try await rehearsal.rotate().finish()
            #expect(result.exitCode == 0)
            #expect(!(result.output + result.errors).contains { $0 == "\u{1B}" || $0 == "\r" })
        }
    }

    @Test("log --follow shows what is added, and Ctrl-C ends it well")
    func follow() async throws {
        try await Rehearsal.run { rehearsal in
            let file = rehearsal.home.path + "/followed"
            let program = try KeyoverHome.built("keyover")
            let process = try rehearsal.home.start(
                program: "/bin/sh", ["-c", "exec \"$0\" log --follow > \"$1\"", program, file])
            func followed(_ text: String) -> Bool {
                FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self).contains(text) }
                    ?? false
            }
            try await eventually("the entry from before") { followed("client.added") }
            try await rehearsal.home.succeed("client", "edit", Rehearsal.client, "--owner", "somebody")
            try await eventually("the entry that was added") { followed("client.edited") }
            process.send(SIGINT)
            #expect(try await process.finish(within: .seconds(10)).exitCode == 0)
        }
    }

    @Test("the sandbox ends well on Ctrl-C and SIGTERM, and takes its secrets along", arguments: [SIGINT, SIGTERM])
    func sandbox(signal: Int32) async throws {
        let home = try KeyoverHome()
        let process = try home.start(["sandbox", "--client", "a", "--client", "b", "--state", home.path + "/sandbox"])
        let files = ["admin-token", "a.secret", "b.secret"].map { home.path + "/sandbox/" + $0 }
        try await eventually("the files") { files.allSatisfy { access($0, R_OK) == 0 } }
        // The command listens to signals from its very beginning.
        process.send(signal)
        let result = try await process.finish(within: .seconds(10))
        #expect(result.exitCode == 0)
        #expect(files.allSatisfy { access($0, F_OK) != 0 })
    }

    @Test("a reader that goes away ends the command without complaint")
    func brokenPipe() async throws {
        try await Rehearsal.run { rehearsal in
            let program = try KeyoverHome.built("keyover")
            let result = try await rehearsal.home.start(
                program: "/bin/sh", ["-c", "\"$0\" log --format json | true", program]
            ).finish()
            #expect(result.errors.isEmpty)
        }
    }
}

/// The demonstration, which is the acceptance test of the whole.
@Suite("Demonstration")
struct DemonstrationTests {
    private struct Report: Decodable {
        struct Stage: Decodable {
            let stage: String
            let seconds: Double
        }

        struct Exchanges: Decodable {
            let role: String
            let beforeCutOver: Int
            let afterCutOver: Int
        }

        let requests: Int
        let failures: Int
        let oldSecretRefused: Bool
        let auditVerified: Bool
        let stages: [Stage]
        let exchanges: [Exchanges]
    }

    @Test(
        "it rotates under traffic without a failed request, and leaves nothing behind",
        arguments: ["calm", "flapping", "odd", "fused"])
    func rotates(profile: String) async throws {
        await Turnstile.shared.enter()
        let outcome: Swift.Result<Void, any Error>
        do {
            outcome = .success(try await demonstrate(profile))
        } catch {
            outcome = .failure(error)
        }
        await Turnstile.shared.leave()
        try outcome.get()
    }

    private func demonstrate(_ profile: String) async throws {
        let home = try KeyoverHome()
        let result = try await home.start(
            ["demo", "--format", "json", "--profile", profile, "--requests", "400", "--workers", "8"]
        ).finish(within: .seconds(180))
        #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
        let last = try #require(result.output.split(separator: "\n").last)
        let report = try JSONDecoder().decode(Report.self, from: Data(last.utf8))
        #expect(report.requests >= 400)
        #expect(report.failures == 0)
        #expect(report.oldSecretRefused)
        #expect(report.auditVerified)
        #expect(
            report.stages.map(\.stage) == [
                "minting", "staged", "verifying", "cutOver", "draining", "deactivating", "soaking", "retiring",
                "proving",
                "completed",
            ])
        #expect(report.stages.map(\.seconds) == report.stages.map(\.seconds).sorted())
        let new = try #require(report.exchanges.first { $0.role == "new" })
        let old = try #require(report.exchanges.first { $0.role == "old" })
        #expect(new.afterCutOver > old.afterCutOver)
        #expect(old.beforeCutOver > new.beforeCutOver)
        let left = try FileManager.default.contentsOfDirectory(atPath: home.path + "/tmp")
        #expect(left.isEmpty)
    }
}

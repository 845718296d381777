import FoundationEssentials
import Glibc
import KeyoverSandbox
import Testing

/// The machine is gone; there is a backup, an offline identity, a fresh host, and providers that went on.
@Suite("A lost machine")
struct LostMachineTests {
    @Test("ten rotations later, a fresh host brings each client to a live secret, or names the step for a person")
    func freshHost() async throws {
        try await Rehearsal.run { rehearsal in
            let (home, client) = (rehearsal.home, Rehearsal.client)
            let recovery = try await Self.makeRecoveryIdentity(home)
            try await Self.addMore(to: rehearsal)
            let backup = try await rehearsal.backUp()
            try await rehearsal.rotate(times: 10)
            let last = try await rehearsal.activeSecret()
            #expect(try await rehearsal.atConsole("POST", "by-hand/secrets").secret != nil)
            let ids = try rehearsal.server.stats(clientID: "by-hand").secrets.map(\.id)
            #expect(try await rehearsal.atConsole("DELETE", "by-hand/secrets/\(ids[0])").status < 300)

            let fresh = try KeyoverHome { path in ["KEYOVER_POLICIES": path + "/policies"] }
            try fresh.write("soak: 1s\n", to: "policies/rehearsal.yaml")
            for file in [backup, recovery] {
                let name = file.split(separator: "/").last.map(String.init) ?? ""
                try Data(contentsOf: URL(filePath: file)).write(to: URL(filePath: fresh.path + "/" + name))
                #expect(chmod(fresh.path + "/" + name, 0o600) == 0)
            }
            try FileManager.default.removeItem(atPath: home.path + "/data/keyover")

            try await fresh.succeed("vault", "restore", "backup.age", "--identity", "recovery.txt")
            for name in [client, "idle", "by-hand"] { #expect(try await fresh.run("get", name).exitCode == 7) }
            let recovered = try await fresh.run("recover", "--all", "--wait", "2m")
            #expect(recovered.exitCode == 8, "\(recovered.output)\(recovered.errors)")
            #expect(recovered.output.contains("keyover resume by-hand --secret-stdin"), "\(recovered.output)")

            let secret = try await fresh.succeed("get", client).withoutLineEnd
            #expect(secret != rehearsal.firstSecret && secret != last)
            guard case .granted(let id) = try await rehearsal.consumer.use(secret) else {
                Issue.record("the recovered secret is refused")
                return
            }
            #expect(try rehearsal.listed() == [id: "ACTIVE"], "nothing is left that nobody knows")
            #expect(try await fresh.run("get", "idle").exitCode == 0)
            #expect(try await fresh.run("verify", "idle").exitCode == 0)

            let byHand = try #require(try await rehearsal.atConsole("POST", "by-hand/secrets").secret)
            let resumed = try await fresh.run("resume", "by-hand", "--secret-stdin", input: byHand)
            #expect([0, 8].contains(resumed.exitCode), "\(resumed.output)\(resumed.errors)")
            #expect(try await fresh.succeed("get", "by-hand").withoutLineEnd == byHand)
            #expect(try await fresh.run("log", "--verify").exitCode == 0)
            #expect(try await fresh.run("vault", "verify").exitCode == 0)
            #expect(try await fresh.succeed("log").contains("vault.restored"))
        }
    }

    private static func makeRecoveryIdentity(_ home: KeyoverHome) async throws -> String {
        let path = home.path + "/recovery.txt"
        _ = try await home.start(program: "/usr/bin/age-keygen", ["-o", path]).finish()
        let shown = try await home.start(program: "/usr/bin/age-keygen", ["-y", path]).finish()
        try await home.succeed("vault", "grant", shown.output.withoutLineEnd)
        return path
    }

    /// A client that nobody touches, and one whose secrets a person makes.
    private static func addMore(to rehearsal: Rehearsal) async throws {
        let (home, server) = (rehearsal.home, rehearsal.server)
        let idle = try server.createClient(clientID: "idle", scopes: ["read"], secret: nil)
        try await home.succeed(
            "client", "add", "idle", "--tenant", "ops", "--client-id", "idle", "--scope", "read", "--secret-stdin",
            input: idle.secret)
        try await home.succeed(
            "tenant", "add", "console", "--provider", "manual", "--set", "token_url=\(server.baseURL)/oauth/token",
            "--set", "allow_loopback_http=true", "--set", "propagation=1s")
        let byHand = try server.createClient(clientID: "by-hand", scopes: ["read"], secret: nil)
        try await home.succeed(
            "client", "add", "by-hand", "--tenant", "console", "--client-id", "by-hand", "--scope", "read",
            "--consumer-cache", "1s", "--secret-stdin", input: byHand.secret)
    }
}

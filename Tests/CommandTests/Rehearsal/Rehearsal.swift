import FoundationEssentials
import KeyoverSandbox
import KeyoverSealing
import Testing
import VaultServers

/// A sandbox in this process, a vault in a folder of its own, and one adopted client, all reached through the programs.
final class Rehearsal: Sendable {
    /// What differs from one rehearsal to another.
    struct Plan: Sendable {
        /// How long the old secret stays off before it is deleted.
        var soak = "1s"
        /// The text of a program that is started when traffic moves.
        var hook: String?
        /// How long after storing a claim a runner may write at the provider.
        var claimTerm = "5s"
        /// The secret that the client begins with; `nil` for one that the sandbox makes.
        var firstSecret: String?
        /// Where the vault is; `nil` for a file in the rehearsal's own folder.
        var vault: VaultPlace?
    }

    /// The name of the client, and its id.
    static let client = "billing-sync"
    /// How long readers may keep a secret, as it is declared to Keyover.
    static let cache = Duration.seconds(2)
    /// By when a write that was sent has taken effect, as it is declared to Keyover.
    static let commitDelay = Duration.seconds(3)

    let home: KeyoverHome
    let server: SandboxServer
    let consumer: Consumer
    /// The secret that the client was adopted with.
    let firstSecret: String

    private init(_ plan: Plan) async throws {
        home = try KeyoverHome { path in
            var settings = ["KEYOVER_CLAIM_TERM": plan.claimTerm, "KEYOVER_POLICIES": path + "/policies"]
            if let place = plan.vault {
                settings.merge(place.environment) { $1 }
                settings["KEYOVER_VAULT"] = place.url.description
            }
            return settings
        }
        server = try await SandboxServer.start()
        consumer = Consumer(server: server)
        firstSecret = try server.createClient(
            clientID: Self.client, scopes: ["read"], secret: plan.firstSecret
        ).secret
    }

    /// Carries the body out with everything set up, and takes everything down again.
    static func run(_ plan: Plan = Plan(), _ body: (Rehearsal) async throws -> Void) async throws {
        await Turnstile.shared.enter()
        let outcome: Swift.Result<Void, any Error>
        do {
            let rehearsal = try await Rehearsal(plan)
            do {
                try await rehearsal.adopt(plan)
                outcome = .success(try await body(rehearsal))
            } catch {
                outcome = .failure(error)
            }
            await rehearsal.server.stop()
        } catch {
            outcome = .failure(error)
        }
        await Turnstile.shared.leave()
        try outcome.get()
    }

    private func adopt(_ plan: Plan) async throws {
        try home.write("soak: \(plan.soak)\n", to: "policies/rehearsal.yaml")
        try await home.succeed("init")
        try await home.succeed(
            "tenant", "add", "ops", "--provider", "sandbox", "--base-url", server.baseURL, "--set", "propagation=1s",
            "--set", "commit-delay=3s", "--admin-stdin", input: server.adminToken)
        var hooks: [String] = []
        if let hook = plan.hook {
            hooks = ["--deliver-command", try home.write("#!/bin/sh\n\(hook)\n", to: "hook", mode: 0o700)]
        }
        let added = try await home.start(
            [
                "client", "add", Self.client, "--tenant", "ops", "--client-id", Self.client, "--scope", "read",
                "--consumer-cache", "2s", "--secret-stdin",
            ] + hooks, input: firstSecret
        ).finish()
        guard added.exitCode == 0 else { throw TestFailure("client add: \(added.errors)") }
    }
}

// MARK: Commands

extension Rehearsal {
    /// What `status NAME --format json` says, as far as the tests want to know it.
    struct Status: Decodable {
        struct Rotation: Decodable {
            struct Attention: Decodable {
                let cause: String
                let message: String
            }

            let attention: Attention?
            let runner: String?
        }

        struct Summary: Decodable { let outcome: String }

        let stage: String
        let generation: Int
        let active: String
        let next: String?
        let rotation: Rotation?
        let lastRotation: Summary?
    }

    func status() async throws -> Status { try await home.read(Status.self, "status", Self.client) }

    /// Starts `keyover rotate NAME`.
    func rotate(_ more: String...) throws -> KeyoverProcess { try home.start(["rotate", Self.client] + more) }

    /// Runs a command about the client to its end.
    func run(_ command: String, _ more: String...) async throws -> KeyoverProcess.Result {
        try await home.start([command, Self.client] + more).finish()
    }

    /// The secret that consumers are given.
    func activeSecret() async throws -> String { try await home.succeed("get", Self.client).withoutLineEnd }

    /// The lines of the audit log.
    func auditLog() -> String {
        let folder = home.stateDirectory + "/audit"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { name in
            FileManager.default.contents(atPath: folder + "/" + name).map { String(decoding: $0, as: UTF8.self) }
        }.joined()
    }

    /// Whether something has been noted so often.
    func hasNoted(_ action: String, times: Int = 1) -> Bool {
        auditLog().split(separator: "\n").count { $0.contains("\"action\":\"\(action)\"") } >= times
    }
}

// MARK: The sandbox's side

extension Rehearsal {
    /// How often a write to a secret was carried out.
    func writes(_ operation: SandboxOperation) -> Int {
        (try? server.stats(clientID: Self.client).writes[operation] ?? 0) ?? 0
    }

    /// All writes that were carried out.
    func writes() throws -> [SandboxOperation: Int] { try server.stats(clientID: Self.client).writes }

    /// The ids of the secrets that the sandbox holds, with their status.
    func listed() throws -> [String: String] {
        let secrets = try server.stats(clientID: Self.client).secrets.filter { $0.status != "DELETED" }
        return Dictionary(secrets.map { ($0.id, $0.status) }) { first, _ in first }
    }

    /// Slows operations down, before or after they commit, and makes all others quick again.
    func slow(
        before: [SandboxOperation: Int] = [:], after: [SandboxOperation: Int] = [:]
    ) throws {
        var profile = server.profile
        profile.delayBeforeMilliseconds = before
        profile.delayAfterMilliseconds = after
        try server.setProfile(profile)
    }

    /// Holds that nothing was lost and nothing was left: one secret, the one that consumers get, and a whole audit log.
    func expectWhole(
        _ outcome: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let status = try await status()
        #expect(status.stage == "idle", sourceLocation: sourceLocation)
        #expect(status.active == "primary", sourceLocation: sourceLocation)
        #expect(status.lastRotation?.outcome == outcome, sourceLocation: sourceLocation)
        let active = try await activeSecret()
        let isNew = outcome == "completed"
        #expect((active != firstSecret) == isNew, sourceLocation: sourceLocation)
        guard case .granted(let id) = try await consumer.use(active) else {
            Issue.record("the active secret is refused", sourceLocation: sourceLocation)
            return
        }
        #expect(try listed() == [id: "ACTIVE"], "no orphan is left", sourceLocation: sourceLocation)
        if isNew {
            let old = try await consumer.use(firstSecret)
            #expect(old.isRefused, "the old secret is dead", sourceLocation: sourceLocation)
        }
        let log = try await home.run("log", "--verify")
        #expect(log.exitCode == 0, "\(log.output)\(log.errors)", sourceLocation: sourceLocation)
        let vault = try await home.run("vault", "verify")
        #expect(vault.exitCode == 0, "\(vault.output)\(vault.errors)", sourceLocation: sourceLocation)
    }
}

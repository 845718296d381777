import FoundationEssentials
import Glibc
import KeyoverSandbox
import Testing

/// A home in which every program runs under `strace`, without a umask, beside a sandbox in this process.
final class Observed {
    static let client = "billing-sync"
    /// The commands that may print the secret, or a token.
    static let printing: Set = ["get", "token"]

    let home: KeyoverHome
    let server: SandboxServer
    /// The secret that the client is adopted with.
    let secret = Needles.canary("secret")
    private(set) var needles = Needles()
    private(set) var trace = SystemCallTrace()
    private let traces: KeyoverHome
    private var runs = 0

    init() async throws {
        home = try KeyoverHome { ["KEYOVER_CLAIM_TERM": "5s", "KEYOVER_POLICIES": $0 + "/policies"] }
        traces = try KeyoverHome()
        server = try await SandboxServer.start()
        _ = try server.createClient(clientID: Self.client, scopes: ["read"], secret: secret)
        look(for: "the secret", secret)
        look(for: "the admin token", server.adminToken)
        try home.write("soak: 1s\n", to: "policies/rehearsal.yaml")
    }

    /// Adds something that no call may show from the beginning on.
    func look(for name: String, _ secret: String) { needles.add(name, secret) }

    /// Runs `keyover` under observation.
    @discardableResult
    func run(_ arguments: [String], input: String = "") async throws -> KeyoverProcess.Result {
        runs += 1
        let prefix = traces.path + "/run-\(runs)"
        let result = try await home.start(
            program: "/bin/sh",
            SystemCallTrace.arguments(prefix, [try KeyoverHome.built("keyover")] + arguments), input: input
        ).finish(within: .seconds(180))
        try trace.add(prefix: prefix, command: arguments)
        for folder in ["config", "data", "state"] { try expectPrivate("\(home.path)/\(folder)", arguments) }
        return result
    }

    /// Holds that nothing in a folder can be read by others.
    private func expectPrivate(_ folder: String, _ arguments: [String]) throws {
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            var status = stat()
            guard lstat("\(folder)/\(name)", &status) == 0, status.st_mode & S_IFMT != S_IFLNK else { continue }
            #expect(status.st_mode & 0o077 == 0, "\(name) after \(arguments)")
        }
    }

    /// Runs `keyover`, which has to succeed, under observation.
    @discardableResult
    func succeed(_ arguments: String..., input: String = "") async throws -> String {
        let result = try await run(arguments, input: input)
        guard result.exitCode == 0 else { throw TestFailure("\(arguments): \(result.errors)\(result.output)") }
        return result.output
    }

    /// A vault's whole life, from its making to the day after the machine was lost.
    func live() async throws {
        let client = Self.client
        try await succeed("init")
        let identity = try String(contentsOfFile: home.path + "/config/keyover/identity.txt", encoding: .utf8)
        look(for: "the identity", identity.split(separator: "\n").last.map(String.init) ?? "")
        try await succeed(
            "tenant", "add", "ops", "--provider", "sandbox", "--base-url", server.baseURL, "--set", "propagation=1s",
            "--set", "commit-delay=1s", "--admin-stdin", input: server.adminToken)
        try await succeed(
            "client", "add", client, "--tenant", "ops", "--client-id", client, "--scope", "read", "--consumer-cache",
            "1s", "--secret-stdin", input: secret)
        try await succeed("get", client)
        try await succeed("get", client, "--as", "web-1", "--lease", "1s")
        try await succeed("token", client)
        try await succeed("rotate", client)
        look(for: "the new secret", try await succeed("get", client).withoutLineEnd)
        try await succeed("log")
        try await succeed("log", "--verify")
        try await succeed("vault", "grant", "--metadata-only", FaultOperation.somebody)
        try await succeed("vault", "rekey", "--remove", FaultOperation.somebody, "--yes")
        try await succeed("vault", "backup", "backup.age")
        for folder in ["data", "state"] { try home.removeTree(folder + "/keyover") }
        try await succeed("vault", "restore", "backup.age")
        try await succeed("recover", client)
        try await succeed("get", client)
        try await succeed("client", "remove", client, "--yes")
        try await succeed("vault", "verify")
        try await succeed("vault", "status")
    }
}

import FoundationEssentials
import Glibc
import Testing

/// `apply` with files that are not as they should be, with others at work, and with secrets around.
@Suite("Applying an inventory")
struct ApplyTests {
    private struct Report: Decodable {
        struct Change: Decodable {
            let name: String
            let action: String
            let outcome: String
        }

        let dryRun: Bool
        let changes: [Change]
        let unchanged: Int
    }

    private struct Client: Decodable {
        let name: String
        let owner: String?
        let tokenURL: String?
    }

    private static let tenant = """
        version: 1
        tenants:
          - name: console
            provider: manual
            settings: {token_url: "https://login.example.org/token"}

        """

    private let home: KeyoverHome

    init() throws {
        home = try KeyoverHome()
    }

    private func apply(_ text: String, _ more: String...) async throws -> KeyoverProcess.Result {
        let file = try home.write(text, to: "inventory.yaml")
        return try await home.start(["apply", "-f", file, "--yes"] + more).finish()
    }

    private func clients() async throws -> [Client] { try await home.read([Client].self, "client", "list") }

    /// A vault with a tenant that asks nobody, and clients in it.
    private func prepare(_ count: Int) async throws {
        try await home.succeed("init")
        #expect(try await apply(Self.tenant).exitCode == 0)
        let rows = (1...count).map { "c\($0),id\($0),value-\($0)\n" }.joined()
        try await home.succeed(
            "client", "import", "--from", "csv", "-", "--tenant", "console", "--no-verify",
            input: "name,client_id,client_secret\n" + rows)
    }

    private func inventory(_ count: Int, owner: String) -> String {
        Self.tenant + "clients:\n"
            + (1...count).map { "  - {name: c\($0), tenant: console, client_id: id\($0), owner: \(owner)}\n" }.joined()
    }

    @Test(
        "what is no inventory is refused before anything is changed",
        arguments: [
            "", "version: 1\nversion: 1\n", "[]", "text", "version: 1\nclients: {}\n", "version: 1\nclients: [a]\n",
            "version: 1\nclients: [[]]\n", "clients: []\n", "version: 1\nclients: &a [*a]\n", "version: 1\n\0",
            "version: 1\nx: &a [b]\ny: *a\n", "version: 1\n---\nversion: 1\n", "\u{1}\u{2}\u{3}", "version: 1\n\t- x",
            "version: 1\nclients:\n  - {name: a, tenant: b, labels: {c: {d: e}}}\n",
            "version: 1\nclients:\n  - {name: a, tenant: b, scopes: read}\n",
            "version: 1\nclients:\n  - {name: a, tenant: b, scopes: ['a b']}\n",
            "version: 1\nclients:\n  - {name: a, tenant: b, strategy: none}\n",
            "version: 1\nclients:\n  - {name: a, name: a, tenant: b}\n",
            "version: 1\ntenants:\n  - {name: a, provider: manual, settings: {admin_password: x}}\n",
        ])
    func refused(text: String) async throws {
        try await home.succeed("init")
        let result = try await apply(text, "--prune")
        #expect(result.exitCode == 1, "\(result.output)\(result.errors)")
        #expect(result.errors.contains("inventory.yaml:") || result.errors.contains("cannot be read"))
        #expect(result.output.isEmpty)
    }

    @Test("an inventory of any size ends soon, and only so much of it is read")
    func huge() async throws {
        try await home.succeed("init")
        let long = String(repeating: "# a remark of forty characters or so....\n", count: (8 << 20) / 40)
        #expect(try await apply(Self.tenant + long).errors.contains("holds more than"))
        let deep = "version: 1\nclients: " + String(repeating: "[", count: 1 << 20)
        #expect(try await apply(deep).exitCode == 1)
        let wrong = "version: 1\nclients:\n" + String(repeating: "  - {colour: red}\n", count: 5000)
        let result = try await apply(wrong)
        #expect(result.errors.contains("and 14900 more"), "\(result.errors.suffix(200))")
        #expect(result.errors.utf8.count < 64 << 10)
    }

    @Test("a second run has nothing to do, a dry run does nothing")
    func idempotent() async throws {
        try await prepare(3)
        let text = inventory(3, owner: "ops")
        let dry = try await apply(text, "--dry-run", "--format", "json")
        #expect(dry.exitCode == 0)
        let planned = try JSONDecoder().decode(Report.self, from: Data(dry.output.utf8))
        #expect(planned.dryRun && planned.changes.map(\.outcome) == ["planned", "planned", "planned"])
        #expect(try await clients().allSatisfy { $0.owner == nil })

        let first = try await apply(text, "--format", "json")
        let report = try JSONDecoder().decode(Report.self, from: Data(first.output.utf8))
        #expect(!report.dryRun && report.changes.map(\.outcome) == ["done", "done", "done"])
        #expect(report.unchanged == 1)
        let before = home.files().filter { $0.key.contains("/audit/") }
        let second = try await apply(text)
        #expect(second.exitCode == 0)
        #expect(second.output.isEmpty)
        #expect(second.errors.contains("nothing to do"))
        #expect(home.files().filter { $0.key.contains("/audit/") } == before, "nothing was noted either")
    }

    @Test("one that was killed half-way is completed by the next run, and two at once do no harm")
    func interrupted() async throws {
        let count = 30
        try await prepare(count)
        let file = try home.write(inventory(count, owner: "ops"), to: "inventory.yaml")
        let first = try home.start(["apply", "-f", file, "--yes"])
        try await eventually("the first changes") {
            let log = home.files().first { $0.key.contains("/audit/") && $0.key.hasSuffix(".jsonl") }
            return log.map { String(decoding: $0.value, as: UTF8.self).contains("client.edited") } ?? false
        }
        first.send(SIGKILL)
        try await first.finish()
        let both = try (0..<2).map { _ in try home.start(["apply", "-f", file, "--yes", "--format", "json"]) }
        for process in both {
            let result = try await process.finish()
            #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
            let report = try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
            #expect(report.changes.allSatisfy { $0.outcome == "done" || $0.outcome == "unchanged" })
        }
        #expect(try await clients().allSatisfy { $0.owner == "ops" })
        try await home.succeed("log", "--verify")
        try await home.succeed("vault", "verify")
        let edits = try await home.succeed("log", "--format", "json").split(separator: "\n")
            .count { $0.contains("client.edited") }
        #expect(edits == count, "each change was made once")
    }

    @Test("pruning takes what the file does not list, and leaves what clients still need")
    func prune() async throws {
        try await prepare(3)
        try await home.succeed(
            "tenant", "add", "unused", "--provider", "manual", "--set", "token_url=https://login.example.org/token")
        let kept = "version: 1\ntenants: []\nclients:\n  - {name: c1, tenant: console, owner: ops}\n"
        let result = try await apply(kept, "--prune", "--reason", "moving out")
        #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
        #expect(try await clients().map(\.name) == ["c1"])
        let tenants = try await home.succeed("tenant", "list")
        #expect(tenants.contains("console") && !tenants.contains("unused"))
        // A list that is not there says nothing, so nothing is pruned by it.
        #expect(try await apply("version: 1\ntenants: []\n", "--prune").exitCode == 0)
        #expect(try await clients().map(\.name) == ["c1"])
        #expect(try await home.succeed("log").contains("(moving out)"))
    }

    @Test("secrets come from private files, are tried live, and are shown nowhere")
    func secrets() async throws {
        let (canary, wrong) = (Needles.canary("apply"), Needles.canary("wrong"))
        var needles = Needles()
        needles.add("the secret", canary)
        needles.add("the wrong one", wrong)
        try await Rehearsal.run(Rehearsal.Plan(firstSecret: canary)) { rehearsal in
            let (home, id) = (rehearsal.home, Rehearsal.client)
            let good = try home.write(canary + "\n", to: "secrets/good")
            let bad = try home.write(wrong, to: "secrets/bad")
            let loose = try home.write(canary, to: "secrets/loose", mode: 0o644)
            #expect(symlink(loose, home.path + "/secrets/link") == 0)
            let files = [
                "good": good, "bad": bad, "loose": loose, "link": home.path + "/secrets/link", "none": "/none",
            ]
            let text =
                "version: 1\nclients:\n"
                + files.map { "  - {name: \($0), tenant: ops, client_id: \(id), secret_file: \($1)}\n" }.joined()
            let file = try home.write(text, to: "inventory.yaml")
            let process = try home.start(["apply", "-f", file, "--yes", "--format", "json", "--verbose"])
            async let sight = ProcessWatch.watch(process)
            let result = try await process.finish()
            #expect(result.exitCode == 1)
            let report = try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
            let outcomes = Dictionary(report.changes.map { ($0.name, $0.outcome) }) { first, _ in first }
            #expect(
                outcomes == ["good": "done", "bad": "failed", "loose": "blocked", "link": "blocked", "none": "blocked"])
            #expect(try await home.succeed("get", "good") == canary + "\n")
            var said = [result.output + result.errors]
            for text in try await sight.texts { #expect(needles.found(in: text).isEmpty) }

            // A secret in the inventory itself is refused and not repeated, wherever it stands.
            for line in [
                "client_secret: \(canary)", "secret: '\(canary)'", "secret_file: \(canary)", "issued_at: \(canary)",
                "labels: [\(canary)]", "auth: \(canary)", "client_id: \"\(canary)\\0\"",
                "token_url: 'https://\(canary)@x/'",
                "password: {a: [\(canary)]}", "admin_token: \(canary)",
            ] {
                let item = "version: 1\nclients:\n  - name: other\n    tenant: ops\n    client_id: x\n"
                let file = try home.write(item + "    secret_file: \(good)\n    \(line)\n", to: "leaky.yaml")
                let result = try await home.run("apply", "-f", file, "--yes", "--verbose")
                #expect(result.exitCode == 1, "\(line)\n\(result.output)\(result.errors)")
                said.append(result.output + result.errors)
            }
            for text in said { #expect(needles.found(in: text).isEmpty, "\(text)") }
            for (name, data) in home.files() where !name.hasPrefix("secrets/") && !name.hasSuffix(".yaml") {
                #expect(needles.found(in: data).isEmpty, "\(name)")
            }
        }
    }
}

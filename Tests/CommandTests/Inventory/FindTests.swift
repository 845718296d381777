import FoundationEssentials
import Testing

/// `client find`, beyond what the transcript shows.
@Suite("Finding a leaked secret")
struct FindTests {
    private struct Match: Decodable {
        let client: String
        let slot: String
        let active: Bool
        let matched: String
        let next: String?
    }

    private let home: KeyoverHome

    init() throws {
        home = try KeyoverHome()
    }

    private func adopt(_ secrets: [String: String]) async throws {
        try await home.succeed("init")
        try await home.succeed(
            "tenant", "add", "console", "--provider", "manual", "--set", "token_url=https://login.example.org/token")
        for (name, secret) in secrets {
            try await home.succeed(
                "client", "add", name, "--tenant", "console", "--client-id", name, "--no-verify", input: secret)
        }
    }

    private func find(_ text: String) async throws -> [Match] {
        let result = try await home.start(["client", "find", "--format", "json"], input: text).finish()
        #expect(result.exitCode == (result.output.contains("{") ? 0 : 3), "\(result.errors)")
        return try JSONDecoder().decode([Match].self, from: Data(result.output.utf8))
    }

    @Test("every client that has the secret is named, and no other")
    func several() async throws {
        try await adopt(["one": "shared value", "two": "another value", "three": "shared value"])
        let found = try await find("shared value\n")
        #expect(found.map(\.client) == ["one", "three"])
        #expect(found.allSatisfy { $0.slot == "primary" && $0.active && $0.matched == "asGiven" })
        #expect(try await find("shared").isEmpty)
        #expect(try await find("shared  value").isEmpty)
    }

    @Test(
        "what a paste brings along is taken off, whatever it is",
        arguments: [
            ("\"s3cret'\"\n", "withoutQuotes"), ("'s3cret''", "withoutQuotes"),
            ("\u{201C}s3cret'\u{201D}", "withoutQuotes"),
            ("` s3cret' `", "withoutQuotes"), ("\u{FEFF}s3cret'\r\n", "withoutSurroundingSpace"),
            ("s3cret'\r\n\r\n", "withoutTrailingSpace"), ("\t\"'s3cret''\"  ", "withoutQuotes"),
        ])
    func pasted(text: String, form: String) async throws {
        try await adopt(["one": "s3cret'"])
        #expect(try await find(text).map(\.matched) == [form])
    }

    @Test("a secret that itself ends in blanks or quotes is found as it is")
    func odd() async throws {
        try await adopt(["line": "value\n\n", "quoted": "\"value\"", "blank": "value "])
        #expect(try await find("value\n\n").map(\.client) == ["line"])
        // The first line end is the one that `echo` adds; the secret has it all the same.
        #expect(try await find("value\n").map(\.matched) == ["withLineEnd"])
        #expect(try await find("\"value\"\n").map(\.client) == ["quoted"])
        #expect(try await find("value ").map(\.client) == ["blank"])
    }

    @Test("the string is never shown again, found or not")
    func secrecy() async throws {
        let (known, unknown) = (Needles.canary("known"), Needles.canary("unknown"))
        var needles = Needles()
        needles.add("the known one", known)
        needles.add("the unknown one", unknown)
        try await adopt(["one": known])
        for text in [known, "'\(known)'", unknown, "\"\(unknown)\"\r\n", unknown + "\0", known + "\0\0"] {
            for form in ["table", "json"] {
                let result = try await home.start(["client", "find", "--verbose", "--format", form], input: text)
                    .finish()
                #expect(result.exitCode == 0 || result.exitCode == 3)
                #expect(needles.found(in: result.output + result.errors).isEmpty)
            }
        }
        let argument = try await home.run("client", "find", "--secret-stdin", unknown)
        #expect(argument.exitCode == 2)
        #expect(needles.found(in: argument.output + argument.errors).isEmpty)
        for (name, data) in home.files() { #expect(needles.found(in: data).isEmpty, "\(name)") }
    }

    @Test("whoever was granted metadata only can test no guesses, and store nothing")
    func metadataOnly() async throws {
        struct Created: Decodable {
            let identity: String
            let recipients: [String]
        }
        try await adopt(["one": "value"])
        let other = try KeyoverHome()
        let auditor = try await other.read(Created.self, "init")
        try await home.succeed("vault", "grant", try #require(auditor.recipients.first), "--metadata-only")
        let find = try await home.start(["client", "find", "--identity", auditor.identity], input: "value").finish()
        #expect(find.exitCode == 5)
        #expect(find.output.isEmpty)
        #expect(find.errors.contains("metadata only"))
        let table = "name,client_id,client_secret\ntwo,id,value\n"
        let adopted = try await home.start(
            ["client", "import", "--from", "csv", "-", "--tenant", "console", "--identity", auditor.identity],
            input: table
        ).finish()
        #expect(adopted.exitCode == 5)
        let inventory = try home.write(
            "version: 1\nclients: [{name: one, tenant: console, owner: me}]\n", to: "inventory.yaml")
        let dry = try await home.run("apply", "-f", inventory, "--dry-run", "--identity", auditor.identity)
        #expect(dry.exitCode == 0)
        #expect(dry.output.contains("owner: (none) -> me"))
        let applied = try await home.run("apply", "-f", inventory, "--yes", "--identity", auditor.identity)
        #expect(applied.exitCode == 1)
        #expect(try await home.succeed("client", "list").contains("one"))
        #expect(try await !home.succeed("client", "list").contains("me"))
    }
}

import FoundationEssentials
import Glibc
import KeyoverSandbox
import Testing

/// `client import` with files that are not as they should be, and with others at work.
@Suite("Importing clients")
struct ImportTests {
    private struct Report: Decodable {
        struct Row: Decodable {
            let line: Int
            let name: String
            let outcome: String
        }

        let clients: [Row]
        let added: Int
        let unchanged: Int
        let failed: Int
    }

    private struct Client: Decodable { let name: String }

    private let home: KeyoverHome

    init() throws {
        home = try KeyoverHome()
    }

    /// A vault with a tenant that asks nobody.
    private func prepare() async throws {
        try await home.succeed("init")
        try await home.succeed(
            "tenant", "add", "console", "--provider", "manual", "--set", "token_url=https://login.example.org/token")
    }

    private func start(_ text: String, _ form: String = "csv", _ more: String...) throws -> KeyoverProcess {
        try home.start(
            ["client", "import", "--from", form, "-", "--tenant", "console", "--no-verify", "--verbose"] + more,
            input: text)
    }

    private func read(_ result: KeyoverProcess.Result) throws -> Report {
        try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
    }

    private func clients() async throws -> [String] { try await home.read([Client].self, "client", "list").map(\.name) }

    @Test("a table is read as RFC 4180 says, byte for byte")
    func table() async throws {
        try await prepare()
        let secrets = ["plain", "with,comma", "with \"quotes\"", "two\nlines", " blanks ", "ünï=cödé'$x"]
        var text = "\u{FEFF}name,client_id,client_secret,label.nr\r\n\r\n"
        for (index, secret) in secrets.enumerated() {
            let field = index == 0 ? secret : "\"\(secret.replacing("\"", with: "\"\""))\""
            text += "c\(index),\"id\",\(field),\(index)\r\n"
        }
        let report = try read(try await start(String(text.dropLast(2)), "csv", "--format", "json").finish())
        #expect(report.added == secrets.count)
        #expect(report.clients.map(\.line) == [3, 4, 5, 6, 8, 9])
        for (index, secret) in secrets.enumerated() {
            #expect(try await home.succeed("get", "c\(index)") == secret + "\n")
        }
    }

    @Test("an .env file is read as people write them, and nothing in it is expanded")
    func dotenv() async throws {
        try await prepare()
        let lines = [
            "A_CLIENT_SECRET=plain # not the secret", "B_CLIENT_SECRET='si\\ngle #$x'  # but this",
            "C_CLIENT_SECRET=\"dou\\\"ble\\\\ \\$HOME $HOME `id` \\n\"", "export D_CLIENT_SECRET = a#b'c\"d\\ ",
            "\tE_CLIENT_SECRET=$(id)=${HOME}\r",
        ]
        let expected = [
            "plain", "si\\ngle #$x", "dou\"ble\\ $HOME $HOME `id` \\n", "a#b'c\"d\\", "$(id)=${HOME}",
        ]
        let text =
            lines.joined(separator: "\n") + "\n"
            + ["A", "B", "C", "D", "E"].map { "\($0)_CLIENT_ID=id" }
            .joined(separator: "\n")
        let result = try await start(text, "env").finish()
        #expect(result.exitCode == 0, "\(result.errors)")
        for (name, secret) in zip(["a", "b", "c", "d", "e"], expected) {
            #expect(try await home.succeed("get", name) == secret + "\n")
        }
    }

    @Test("whatever is wrong with a file, nothing of it is added and no secret of it is shown")
    func mistakes() async throws {
        try await prepare()
        let canary = Needles.canary("import")
        var needles = Needles()
        needles.add("the secret", canary)
        let heading = "name,client_id,client_secret\n"
        let tables = [
            // No headings, so that the secret stands where they should.
            "one,id,\(canary)\n", "\(canary)\n", heading + "one,id,\(canary)\none,id,\(canary)\n",
            heading + "\(canary),one,id,x\n", heading + "one,id,\"\(canary)\n", heading + "one,id,\"\(canary)\"x\n",
            heading + "one,id,\(canary)\"\n", heading + "one,id,\(canary)\0\n", heading + "..,id,\(canary)\n",
            heading + ",,\(canary)\n", heading, "", "\n\n", "name,name,client_id,client_secret\n1,2,3,\(canary)\n",
            "name,client_id,client_secret,issued_at\none,id,x,\(canary)\n",
            "name,client_id,client_secret,tenant\none,id,x,%\(canary)\n",
            "name,client_id,client_secret,consumer_cache,auth\none,id,x,\(canary),\(canary)\n",
            "name,client_id,client_secret,token_url\none,id,x,https://user:\(canary)@example.org/\n",
            "name;client_id;client_secret\none;id;\(canary)\n",
        ]
        let files = [
            "ONE_CLIENT_ID=id\nONE_CLIENT_SECRET='\(canary)\n", "ONE_CLIENT_SECRET=\(canary)\n",
            "ONE_CLIENT_ID=id\nONE_CLIENT_SECRET=x\nONE_CLIENT_SECRET=\(canary)\n", "\(canary)\n", "=\(canary)\n",
            "ONE_CLIENT_ID=id\nONE_CLIENT_SECRET=\"\(canary)\" \(canary)\n", "CLIENT_SECRET=\(canary)\nCLIENT_ID=id",
            "ONE_CLIENT_ID=id\nONE_CLIENT_SECRET=\n# \(canary)\n", "\0\(canary)", "# \(canary)\n",
            "ONE_CLIENT_ID=id\none_CLIENT_ID=id\nONE_CLIENT_SECRET=\(canary)\none_CLIENT_SECRET=\(canary)\n",
        ]
        for (form, texts) in [("csv", tables), ("env", files)] {
            for text in texts {
                let result = try await start(text, form).finish()
                #expect(result.exitCode == 1, "\(text)")
                #expect(result.errors.contains("nothing was added"), "\(text)\n\(result.errors)")
                #expect(result.output.isEmpty)
                #expect(needles.found(in: result.errors).isEmpty, "\(result.errors)")
            }
        }
        #expect(try await clients().isEmpty)
    }

    @Test("random bytes end in an error and not in a crash", arguments: ["csv", "env"])
    func garbage(form: String) async throws {
        try await prepare()
        var generator = Xorshift(state: 0x9E37_79B9_7F4A_7C15)
        for round in 0..<12 {
            let alphabet = Array("\",\n\r'=\\#_ aCLIENT_ID".unicodeScalars)
            let text = String(
                String.UnicodeScalarView(
                    (0..<400).map { _ in alphabet[Int(generator.next() % UInt64(alphabet.count))] }))
            let start = form == "csv" ? "name,client_id,client_secret\n" : "A_CLIENT_ID=a\nA_CLIENT_SECRET="
            let result = try await self.start((round % 2 == 0 ? start : "") + text, form, "--dry-run").finish()
            #expect(result.exitCode == 0 || result.exitCode == 1, "\(text)")
        }
    }

    @Test("only a private file of a bounded size is read")
    func files() async throws {
        try await prepare()
        let text = "name,client_id,client_secret\none,id,value\n"
        func importing(_ path: String) async throws -> KeyoverProcess.Result {
            try await home.run("client", "import", "--from", "csv", path, "--tenant", "console", "--no-verify")
        }
        let loose = try home.write(text, to: "loose.csv", mode: 0o640)
        #expect(try await importing(loose).errors.contains("chmod 600"))
        #expect(symlink(loose, home.path + "/link.csv") == 0)
        #expect(try await importing(home.path + "/link.csv").errors.contains("chmod 600"))
        let huge = try home.write(String(repeating: "a", count: (2 << 20) + 1), to: "huge.csv")
        #expect(try await importing(huge).errors.contains("holds more than \(2 << 20) bytes"))
        let many = try home.write(
            "name,client_id,client_secret\n" + (0...20_000).map { "a\($0),b,c\n" }.joined(), to: "many.csv")
        #expect(try await importing(many).errors.contains("many.csv:20002: more than 20000 clients; split the file"))
        #expect(try await importing(home.path).exitCode == 1)
        #expect(try await importing(home.path + "/nothing.csv").exitCode == 1)
        #expect(try await clients().isEmpty)
        let good = try home.write(text, to: "good 'one'.csv")
        let result = try await importing(good)
        #expect(result.errors.hasSuffix("shred -u '\(home.path)/good '\\''one'\\''.csv'\n"), "\(result.errors)")
    }

    @Test(
        "one that was ended half-way is completed by the next run, and two at once do no harm",
        arguments: [SIGKILL, SIGINT])
    func interrupted(signal: Int32) async throws {
        try await prepare()
        let count = 40
        let text = "name,client_id,client_secret\n" + (1...count).map { "client-\($0),id-\($0),value-\($0)\n" }.joined()
        let first = try start(text)
        try await eventually("the first clients") {
            let log = home.files().first { $0.key.contains("/audit/") && $0.key.hasSuffix(".jsonl") }
            return log.map { String(decoding: $0.value, as: UTF8.self).contains("client.added") } ?? false
        }
        first.send(signal)
        let ended = try await first.finish()
        if signal == SIGINT, ended.exitCode != 0 {
            #expect(ended.exitCode == 1 && ended.output.contains("not tried: interrupted"), "\(ended)")
        }
        let interrupted = try await clients().count
        #expect(interrupted > 0)

        let both = [try start(text, "csv", "--format", "json"), try start(text, "csv", "--format", "json")]
        var added = 0
        for process in both {
            let result = try await process.finish()
            #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
            let report = try read(result)
            #expect(report.added + report.unchanged == count)
            added += report.added
        }
        #expect(added == count - interrupted)
        #expect(try await clients().count == count)
        for number in [1, count / 2, count] {
            #expect(try await home.succeed("get", "client-\(number)") == "value-\(number)\n")
        }
        try await home.succeed("log", "--verify")
        try await home.succeed("vault", "verify")
    }

    @Test("many changes make one backup, after the last of them")
    func backup() async throws {
        try await prepare()
        let hook = try home.write(
            "#!/bin/sh\ncat > /dev/null; echo once >> \(home.path)/backups\n", to: "hook", mode: 0o700)
        try await home.succeed("vault", "backup", "--after-rotation", hook)
        let file = home.path + "/backups"
        unlink(file)
        let text = "name,client_id,client_secret\n" + (1...5).map { "c\($0),id,value\n" }.joined()
        let result = try await start(text).finish()
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(FileManager.default.contents(atPath: file) == Data("once\n".utf8))
        let inventory =
            "version: 1\nclients:\n" + (1...5).map { "  - {name: c\($0), tenant: console, owner: me}\n" }.joined()
        try await home.succeed("apply", "-f", try home.write(inventory, to: "inventory.yaml"), "--yes")
        #expect(FileManager.default.contents(atPath: file) == Data("once\nonce\n".utf8))
        try await home.succeed("log", "--verify")
    }

    @Test("secrets are tried live, and no program or file shows them on the way")
    func verified() async throws {
        let canary = Needles.canary("import")
        try await Rehearsal.run(Rehearsal.Plan(firstSecret: canary)) { rehearsal in
            let (home, wrong) = (rehearsal.home, Needles.canary("wrong"))
            var needles = Needles()
            needles.add("the secret", canary)
            needles.add("the wrong one", wrong)
            let id = Rehearsal.client
            let text =
                "name,tenant,client_id,client_secret\ngood,ops,\(id),\(canary)\nbad,ops,\(id),\(wrong)\n"
                + "gone,ops,nobody,\(canary)\n\(id),ops,\(id),\(wrong)\n\(id)-2,ops,\(id),\(canary)\n"
            let process = try home.start(
                ["client", "import", "--from", "csv", "-", "--format", "json", "--verbose"], input: text)
            async let sight = ProcessWatch.watch(process)
            let result = try await process.finish()
            #expect(result.exitCode == 1)
            let outcomes = try read(result).clients.map(\.outcome)
            #expect(outcomes == ["added", "failed", "failed", "failed", "added"], "\(result.output)")
            #expect(needles.found(in: result.output + result.errors).isEmpty)
            for text in try await sight.texts { #expect(needles.found(in: text).isEmpty) }
            for (name, data) in home.files() { #expect(needles.found(in: data).isEmpty, "\(name)") }
            #expect(try await rehearsal.activeSecret() == canary)
        }
    }
}

/// Numbers that look random and are the same each time.
private struct Xorshift {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

import FoundationEssentials
import Glibc
import KeyoverSandbox
import Testing

/// Recognisable secrets, looked for wherever none may be while the real programs work with them.
@Suite("Canaries")
struct CanaryTests {
    /// Leaves everything that a program started by Keyover can find out in the folder that it lies in.
    private static let curiousHook = """
        dir=$(dirname "$0")
        { env; echo "$0 $@"; cat; ls -l /proc/self/fd; tr '\\0' ' ' < /proc/self/cmdline; } > "$dir/hook.out" 2>&1
        tr '\\0' '\\n' < /proc/$PPID/cmdline >> "$dir/hook.out"
        sleep 0.5
        """

    private static func plan(_ more: String = "") -> (plan: Rehearsal.Plan, needles: Needles) {
        let canary = Needles.canary("secret") + more
        var needles = Needles()
        needles.add("the secret", canary)
        return (Rehearsal.Plan(hook: curiousHook, firstSecret: canary), needles)
    }

    @Test("the search finds a secret in every form in which it travels")
    func search() {
        var needles = Needles()
        needles.add("the secret", "s3cret&word+of=sixteen")
        for client in ["a", "ab", "abc"] {
            let header = Data("\(client):s3cret&word+of=sixteen".utf8).base64EncodedString()
            #expect(needles.found(in: "Authorization: Basic \(header)\r\n") == ["the secret, in base64"])
        }
        #expect(needles.found(in: "client_secret=s3cret%26word%2Bof%3Dsixteen&") == ["the secret, form-encoded"])
        #expect(needles.found(in: "733363726574") == [])
        #expect(!needles.found(in: "73336372657426776f72642b6f663d7369787465656e").isEmpty)
        #expect(needles.found(in: "s3cret&word+of=sixtee").isEmpty)
    }

    @Test("a whole rotation shows no secret in arguments, environments, output, hooks and files")
    func rotation() async throws {
        var (plan, needles) = Self.plan()
        try await Rehearsal.run(plan) { rehearsal in
            needles.add("the admin token", rehearsal.server.adminToken)
            let process = try rehearsal.rotate("--verbose", "--format", "json", "--reason", "canary")
            async let sight = ProcessWatch.watch(process)
            try await Moment.draining.arrive(process, in: rehearsal)
            // Both secrets are in the vault now.
            needles.add("the new secret", try await rehearsal.activeSecret())
            let midway = rehearsal.home.files()
            let result = try await process.finish()
            #expect(result.exitCode == 0, "\(result.errors)")

            let (texts, processes) = try await sight
            #expect(processes > 1, "the hook was seen as well")
            for text in texts { #expect(needles.found(in: text).isEmpty) }
            #expect(needles.found(in: result.output + result.errors).isEmpty)
            let hook = try #require(rehearsal.home.files()["hook.out"])
            #expect(String(decoding: hook, as: UTF8.self).contains("ROTATED_GENERATION=2"))
            for (name, data) in midway { #expect(needles.found(in: data).isEmpty, "\(name), midway") }
            for (name, data) in rehearsal.home.files() { #expect(needles.found(in: data).isEmpty, "\(name)") }
            #expect(rehearsal.home.files().keys.contains { $0.hasSuffix("vault.db") || $0.contains("vault/") })
            try await rehearsal.expectWhole("completed")
        }
    }

    @Test("commands that show things show no secret, and those that print it do")
    func commands() async throws {
        var (plan, needles) = Self.plan()
        try await Rehearsal.run(plan) { rehearsal in
            needles.add("the admin token", rehearsal.server.adminToken)
            #expect(try await rehearsal.rotate("--until", "draining").finish().exitCode == 0)
            let active = try await rehearsal.activeSecret()
            needles.add("the new secret", active)
            let client = Rehearsal.client
            let commands = [
                ["status"], ["status", client], ["explain", client], ["client", "list"], ["client", "show", client],
                ["tenant", "list"], ["tenant", "show", "ops"], ["log"], ["log", client], ["log", "--verify"],
                ["vault", "status"], ["vault", "verify"], ["config"], ["rotate", client, "--dry-run"],
                ["verify", client], ["verify", client, "--slot", "primary"],
            ]
            for command in commands {
                for form in ["table", "json"] {
                    let result = try await rehearsal.home.start(command + ["--format", form, "--verbose"]).finish()
                    #expect(result.exitCode == 0, "\(command) \(result.errors)")
                    #expect(needles.found(in: result.output + result.errors).isEmpty, "\(command) as \(form)")
                }
            }
            let field = try await rehearsal.run("get", "--field", "generation")
            #expect(field.output == "2\n")
            #expect(needles.found(in: field.errors).isEmpty)
            #expect(needles.found(in: active) != [])
            let token = try await rehearsal.run("token", "--verbose")
            #expect(token.exitCode == 0 && !token.output.isEmpty, "\(token.errors)")
            #expect(needles.found(in: token.output + token.errors).isEmpty)
            needles.add("the token", token.output.withoutLineEnd)
            for (name, data) in rehearsal.home.files() { #expect(needles.found(in: data).isEmpty, "\(name)") }
        }
    }

    @Test("commands that fail do not quote what they were given")
    func failures() async throws {
        // What breaks a careless message: quotes, line ends in escapes, format directives, a URL's own signs.
        var (plan, needles) = Self.plan("%20\"'\\n&=+:/@<>")
        let (wrong, wrongAdmin) = (Needles.canary("wrong"), Needles.canary("admin"))
        needles.add("a wrong secret", wrong)
        needles.add("a wrong admin credential", wrongAdmin)
        try await Rehearsal.run(plan) { rehearsal in
            needles.add("the admin token", rehearsal.server.adminToken)
            let (home, client) = (rehearsal.home, Rehearsal.client)
            func fails(_ arguments: [String], input: String = "", _ code: Int32 = 1) async throws {
                let result = try await home.start(arguments + ["--verbose"], input: input).finish()
                #expect(result.exitCode == code, "\(arguments) \(result.output)\(result.errors)")
                #expect(result.errors.contains("error: "), "\(arguments)")
                #expect(needles.found(in: result.output + result.errors).isEmpty, "\(arguments) \(result.errors)")
            }
            let add = ["client", "add", "other", "--tenant", "ops", "--client-id", client, "--secret-stdin"]
            try await fails(add, input: wrong)
            try await fails(add + ["--token-url", rehearsal.server.baseURL + "/nowhere"], input: rehearsal.firstSecret)
            try await fails(add + ["--token-url", "http://127.0.0.1:9/token"], input: rehearsal.firstSecret)
            try await fails(add + ["--token-url", "ftp://example.org/"], input: rehearsal.firstSecret)
            try await fails(add + ["--scope", "write"], input: rehearsal.firstSecret)
            try await fails(add + ["--secret-id", "none"], input: rehearsal.firstSecret)
            try await fails(add + ["--no-such-flag"], input: rehearsal.firstSecret, 2)
            try await fails(add + ["--consumer-cache", "soon"], input: rehearsal.firstSecret, 2)
            try await fails(["resume", client, "--secret-stdin"], input: rehearsal.firstSecret)
            let tenant = ["tenant", "add", "more", "--provider", "sandbox", "--admin-stdin"]
            try await fails(tenant, input: wrongAdmin)
            try await fails(tenant + ["--base-url", "http://example.org"], input: wrongAdmin)

            try await home.succeed(
                "tenant", "add", "wrong", "--provider", "sandbox", "--base-url", rehearsal.server.baseURL,
                "--admin-stdin", input: wrongAdmin)
            try await fails(
                ["client", "add", "other", "--tenant", "wrong", "--client-id", client, "--secret-stdin"],
                input: rehearsal.firstSecret)
            try await home.succeed(
                "client", "add", "unverified", "--tenant", "ops", "--client-id", client, "--no-verify",
                "--secret-stdin", input: wrong)
            try await fails(["token", "unverified"])
            let verified = try await home.run("verify", "unverified", "--verbose")
            #expect(verified.exitCode == 1, "\(verified)")
            #expect(needles.found(in: verified.output + verified.errors).isEmpty)
            for (name, data) in home.files() { #expect(needles.found(in: data).isEmpty, "\(name)") }
        }
    }

    @Test("a secret that was given as an argument all the same is not repeated")
    func argument() async throws {
        let canary = Needles.canary("argument")
        var needles = Needles()
        needles.add("the argument", canary)
        let home = try KeyoverHome()
        for flag in [
            ["--secret=\(canary)"], ["--secret", canary], ["--secret-stdin", canary], ["--secret-stdin=\(canary)"],
            ["--admin-stdin", canary],
        ] {
            let result = try await home.start(
                ["client", "add", "other", "--tenant", "ops", "--client-id", "x"] + flag
            ).finish()
            #expect(result.exitCode == 2)
            #expect(needles.found(in: result.output + result.errors).isEmpty, "\(result.errors)")
        }
    }

    @Test("a process that holds secrets leaves no core dump and no backtrace")
    func crash() async throws {
        try await Rehearsal.run { rehearsal in
            let process = try rehearsal.rotate()
            try await Moment.draining.arrive(process, in: rehearsal)
            let limits = FileManager.default.contents(atPath: "/proc/\(process.pid)/limits") ?? Data()
            let line = String(decoding: limits, as: UTF8.self).split(separator: "\n")
                .first { $0.hasPrefix("Max core file size") }
            #expect(line?.split(whereSeparator: \.isWhitespace).dropFirst(4).prefix(2) == ["0", "0"])
            process.send(SIGABRT)
            let result = try await process.finish()
            #expect(result.ending == .killed(by: SIGABRT))
            // Swift's backtraces show what registers point at.
            #expect(!result.errors.contains("crashed"), "\(result.errors)")
            #expect(!rehearsal.home.files().keys.contains { $0.contains("core") })
        }
    }

    @Test(
        "no other process of the user may look into one that holds secrets",
        .enabled(if: UnprivilegedUser.canRunPrograms, "the tests run as root, and other users may start the programs"))
    func undumpable() async throws {
        let home = try KeyoverHome()
        try UnprivilegedUser.give(home)
        let process = try home.start(
            program: UnprivilegedUser.setpriv,
            UnprivilegedUser.options + [try KeyoverHome.built("keyover"), "sandbox", "--state", home.path + "/home"])
        try await eventually("the sandbox") { FileManager.default.fileExists(atPath: home.path + "/home/admin-token") }
        var status = stat()
        #expect(stat("/proc/\(process.pid)/environ", &status) == 0)
        #expect(status.st_uid == 0, "the kernel gives the files of such a process to root")
        process.send(SIGINT)
        #expect(try await process.finish().exitCode == 0)
    }
}

/// Somebody without rights to start programs as, for tests that run as root.
private enum UnprivilegedUser {
    private static let id: uid_t = 65534
    static let setpriv = "/usr/bin/setpriv"
    static let options = ["--reuid", "\(id)", "--regid", "\(id)", "--clear-groups"]

    static var canRunPrograms: Bool {
        guard geteuid() == 0, access(setpriv, X_OK) == 0, let program = try? KeyoverHome.built("keyover-main") else {
            return false
        }
        var path = ""
        for part in program.split(separator: "/") {
            path += "/" + part
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & 0o001 != 0 else { return false }
        }
        return true
    }

    static func give(_ home: KeyoverHome) throws {
        for name in ["", "/home", "/config", "/data", "/state", "/tmp"] {
            guard chown(home.path + name, id, id) == 0 else { throw TestFailure.last("cannot give \(name) away") }
        }
    }
}

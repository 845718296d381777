import FoundationEssentials
import Glibc
import KeyoverSandbox
import Testing

/// Every system call of the real programs that makes, opens, changes or fills a file, over the whole life of a vault.
@Suite("Observed", .serialized)
struct ObserverTests {
    /// What Keyover makes in the home: the folders it keeps, and the backup that is asked for.
    private static let known = ["/config", "/data", "/state", "/backup.age"]
    /// What SQLite opens by path, without `O_NOFOLLOW`: Keyover has looked at each name before, in a folder that nobody
    /// else may change.
    private static let database = ["vault.db", "vault.db-wal", "vault.db-shm", "vault.db-journal"]

    @Test("a whole life makes nothing that others can read, follows no link, and shows no secret to anybody")
    func life() async throws {
        let observed = try await Observed()
        try await observed.live()
        await observed.server.stop()
        let calls = observed.trace.calls
        #expect(calls.count > 2000, "\(calls.count) calls")
        print("observed: \(calls.count) calls")
        checkCreations(calls, observed.home)
        checkModes(calls)
        checkLinks(calls, observed.home)
        checkSecrets(calls, observed)
        try checkLeftovers(observed.home)
    }

    /// Files are 0600 and folders 0700 from the call on that makes them, and lie where they belong.
    private func checkCreations(_ calls: [SystemCallTrace.Call], _ home: KeyoverHome) {
        var count = 0
        for call in calls where call.succeeded {
            let isFile = call.opens && (call.text.contains("O_CREAT") || call.text.contains("O_TMPFILE"))
            let isFolder = call.name.hasPrefix("mkdir")
            let isName = ["link", "symlink", "rename", "mknod"].contains { call.name.hasPrefix($0) }
            guard isFile || isFolder || isName else { continue }
            count += 1
            let path = call.path
            // A backup is written to a file without a name, in the folder in which it is to have one.
            let isNameless = call.text.contains("O_TMPFILE") && call.command.prefix(2) == ["vault", "backup"]
            let isKnown = Self.known.contains { path.hasPrefix(home.path + $0) }
            #expect(isKnown || isNameless, "\(call.text.prefix(300))")
            // SQLite is told to make the database if it is missing. It is not: Keyover has made it, private, before.
            if isFile, !path.hasSuffix("/vault.db") || !call.text.contains("O_NOFOLLOW") || !call.text.contains("0644")
            {
                #expect(call.text.contains(", 0600)"), "\(call.text.prefix(300))")
            }
            if isFolder { #expect(call.text.contains(", 0700)"), "\(call.text.prefix(300))") }
            #expect(!call.name.hasPrefix("symlink") && !call.name.hasPrefix("mknod"), "\(call.text.prefix(300))")
        }
        #expect(count > 50, "\(count) creations")
    }

    /// Nothing is tightened later, which would mean that it was loose before, and nothing is loosened.
    private func checkModes(_ calls: [SystemCallTrace.Call]) {
        for call in calls {
            switch call.name {
            case "chmod", "fchmod", "fchmodat", "chown", "fchownat":
                Issue.record("\(call.command) \(call.text.prefix(300))")
            case "fchown":
                // Run by root, SQLite gives the files beside the database to the database's owner.
                let isHarmless = Self.isOfDatabase(call.sink) && call.text.contains(">, \(geteuid()), ")
                #expect(isHarmless, "\(call.command) \(call.text.prefix(300))")
            case "umask":
                #expect(call.text.hasPrefix("umask(077)") || call.text.hasPrefix("umask(000)"), "\(call.text)")
            default: break
            }
        }
    }

    private static func isOfDatabase(_ path: String) -> Bool {
        path.split(separator: "/").last.map { database.contains(String($0)) } ?? false
    }

    private func checkLinks(_ calls: [SystemCallTrace.Call], _ home: KeyoverHome) {
        var count = 0
        for call in calls where call.opens {
            guard call.text.contains("\"" + home.path) || call.path.hasPrefix(home.path) else { continue }
            count += 1
            if Self.isOfDatabase(call.path) || Self.isOpenedByName(call, home) { continue }
            #expect(
                call.text.contains("O_NOFOLLOW") || call.text.contains("O_TMPFILE"),
                "\(call.command) \(call.text.prefix(300))")
        }
        #expect(count > 100, "\(count) openings")
    }

    /// What may be a link because people make it one, or is a folder that is opened to wait until its names are on disk.
    private static func isOpenedByName(_ call: SystemCallTrace.Call, _ home: KeyoverHome) -> Bool {
        let isForPeople = ["/config/keyover/config.yaml", "/policies", "/backup.age"].contains { name in
            call.text.contains("\"\(home.path)\(name)") || call.text.contains("\"\(name.dropFirst())\"")
        }
        // SQLite does so without O_DIRECTORY.
        let name = call.path.split(separator: "/").last ?? ""
        let isFolder = call.text.contains("O_DIRECTORY") || name == "vault" || name.hasPrefix(".vault.new-")
        return isForPeople && call.text.contains("O_RDONLY") || isFolder
    }

    /// Secrets leave through connections and through standard output of the commands that are for it; nowhere else.
    private func checkSecrets(_ calls: [SystemCallTrace.Call], _ observed: Observed) {
        var (seen, allowed) = (0, 0)
        for call in calls {
            let found = observed.needles.found(in: call.text)
            guard !found.isEmpty else { continue }
            seen += 1
            let isAnswer = call.descriptor == 1 && Observed.printing.contains(call.command.first ?? "")
            let isSent = call.writes && call.sink.hasPrefix("TCP")
            let isIdentity =
                found.allSatisfy { $0.hasPrefix("the identity") }
                && call.command == ["init"] && call.sink.hasPrefix(observed.home.path + "/config/keyover/")
            if isAnswer || isSent || isIdentity { allowed += 1 }
            #expect(isAnswer || isSent || isIdentity, "\(found) \(call.command) \(call.name) to \(call.sink)")
        }
        #expect(allowed >= 6, "the observer sees secrets where they are: \(allowed) of \(seen)")
    }

    private func checkLeftovers(_ home: KeyoverHome) throws {
        for name in try HomeSnapshot(of: home).names where !name.hasPrefix("policies") {
            let isOdd = [".new", ".tmp", "restored", "journal", "#"].contains { name.contains($0) }
            #expect(!isOdd && !name.hasPrefix("tmp/"), "\(name)")
        }
    }

    @Test("planted links are not followed, and what they point to is not touched")
    func links() async throws {
        let observed = try await Observed()
        let home = observed.home
        let victim = try home.write("untouched", to: "victim")
        func plant(_ name: String) throws {
            guard symlink(victim, home.path + "/" + name) == 0 else { throw TestFailure.last("no link \(name)") }
        }
        // Where the files of a vault will lie.
        for name in ["config/keyover", "data/keyover", "state/keyover/audit"] {
            try FileManager.default.createDirectory(
                atPath: home.path + "/" + name, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
        for name in ["config/keyover/config.yaml", "config/keyover/identity.txt", "data/keyover/vault"] {
            try plant(name)
            let result = try await observed.run(["init"])
            #expect(result.exitCode == 1 || result.exitCode == 5, "\(name): \(result)")
            #expect(result.errors.contains("error: ") && result.errors.contains("hint: "), "\(name): \(result.errors)")
            guard unlink(home.path + "/" + name) == 0 else { throw TestFailure.last("no \(name)") }
        }
        try await observed.succeed("init")
        let id = try #require(
            try await observed.succeed("vault", "status", "--format", "json").firstMatch(of: /"id" ?: ?"([0-9a-f-]+)"/)
        ).1
        // The names of what is made anew and then renamed.
        for name in [
            "config/keyover/config.yaml.new", "data/keyover/vault/vault.key.age.new",
            "data/keyover/vault/vault.metadata.age.new", "state/keyover/\(id).counter.new",
            "state/keyover/\(id).backup.new", "state/keyover/audit/host.jsonl.restored",
        ] { try plant(name) }
        let tenant = ["--provider", "manual", "--set", FaultOperation.tokenURL]
        #expect(try await observed.run(["tenant", "add", "ops"] + tenant).exitCode == 0)
        try await observed.succeed("vault", "grant", "--metadata-only", FaultOperation.somebody)
        try await observed.succeed("vault", "rekey")
        try await observed.succeed("vault", "backup", "backup.age")
        // What is used in place is refused.
        for name in [
            "data/keyover/vault/vault.db-wal", "data/keyover/vault/vault.db-journal", "state/keyover/\(id).counter",
        ] {
            let kept = home.path + "/kept"
            let isThere = rename(home.path + "/" + name, kept) == 0
            try plant(name)
            let result = try await observed.run(["tenant", "add", "more"] + tenant)
            #expect(result.exitCode == 5 && result.errors.contains("hint: "), "\(name): \(result)")
            unlink(home.path + "/" + name)
            if isThere { rename(kept, home.path + "/" + name) }
        }
        await observed.server.stop()
        #expect(try String(contentsOfFile: victim, encoding: .utf8) == "untouched")
        for call in observed.trace.calls where call.succeeded && call.opens && call.path == victim {
            // A configuration may be a link; it is read, and nothing else.
            let isReading = call.text.contains("config.yaml\", O_RDONLY|")
            #expect(isReading, "\(call.command) \(call.text.prefix(300))")
        }
    }
}

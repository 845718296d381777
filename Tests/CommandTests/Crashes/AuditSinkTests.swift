import FoundationEssentials
import Glibc
import KeyoverSandbox
import Testing

/// An audit log that takes no entries stops rotations, and nothing else.
@Suite("Audit log out of order")
struct AuditSinkTests {
    @Test("a log that others can read blocks a rotation in its middle until it is mended")
    func permission() async throws {
        try await Rehearsal.run { rehearsal in
            try await Traffic.flows(in: rehearsal) {
                let log = try rehearsal.logFile()
                let process = try rehearsal.rotate()
                try await Moment.draining.arrive(process, in: rehearsal)
                chmod(log, 0o644)
                try await rehearsal.expectBlocked(try await process.finish(), hint: "run `chmod 600 \(log)`")
                let writes = try rehearsal.writes()
                try await rehearsal.expectBlocked(try await rehearsal.run("resume"), hint: "run `chmod 600 \(log)`")
                #expect(try rehearsal.writes() == writes, "nothing is written at the provider meanwhile")
                chmod(log, 0o600)
                try await rehearsal.expectMended()
            }
        }
    }

    @Test("a rotation does not begin while the log takes no entries")
    func beginning() async throws {
        try await Rehearsal.run { rehearsal in
            let log = try rehearsal.logFile()
            chmod(log, 0o644)
            try await rehearsal.expectBlocked(try await rehearsal.run("rotate"), hint: "run `chmod 600 \(log)`")
            #expect(try rehearsal.writes() == [:])
            chmod(log, 0o600)
            try await rehearsal.expectMended()
        }
    }

    @Test("a log that hangs is waited for, but not for ever")
    func hanging() async throws {
        try await Rehearsal.run { rehearsal in
            let log = try rehearsal.logFile()
            let process = try rehearsal.rotate()
            try await Moment.draining.arrive(process, in: rehearsal)
            let descriptor = open(log, O_RDONLY | O_CLOEXEC)
            #expect(flock(descriptor, LOCK_EX) == 0)
            let result = try await process.finish(within: .seconds(40))
            try await rehearsal.expectBlocked(result, hint: "find it with `fuser")
            close(descriptor)
            try await rehearsal.expectMended()
        }
    }

    @Test(
        "a full disk under the log blocks a rotation, and the entries follow later",
        .enabled("this user may mount file systems", FullDisk.isPossible))
    func full() async throws {
        try await Rehearsal.run { rehearsal in
            try await Traffic.flows(in: rehearsal) {
                let log = try rehearsal.logFile()
                let kept = rehearsal.home.path + "/kept.jsonl"
                let process = try rehearsal.home.start(
                    program: FullDisk.unshare,
                    FullDisk.options + [
                        FullDisk.script, "sh", log, kept, try KeyoverHome.built("keyover"), "rotate", Rehearsal.client,
                    ])
                let result = try await process.finish()
                try await rehearsal.expectBlocked(result, hint: "make room on the disk")
                // The disk has grown: what was on it is still there.
                #expect(rename(kept, log) == 0)
                try await rehearsal.expectMended()
            }
        }
    }
}

extension Rehearsal {
    /// The file of the audit log.
    func logFile() throws -> String {
        let folder = home.stateDirectory + "/audit"
        let name = try FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasSuffix(".jsonl") }
        return folder + "/" + (try #require(name))
    }

    /// Holds that the command says what is wrong and how to mend it, and that consumers do not notice.
    func expectBlocked(
        _ result: KeyoverProcess.Result, hint: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        #expect(result.exitCode == 1, "\(result.errors)", sourceLocation: sourceLocation)
        let message = "error: the audit log takes no entries, so \(Self.client) is not changed any further"
        #expect(result.errors.contains(message), "\(result.errors)", sourceLocation: sourceLocation)
        #expect(result.errors.contains("hint: \(hint)"), "\(result.errors)", sourceLocation: sourceLocation)
        let outcome = try await consumer.use(try await activeSecret())
        #expect(!outcome.isRefused, sourceLocation: sourceLocation)
    }

    /// Holds that `resume` completes without waiting for anything that the failed run left behind.
    func expectMended(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let resumed = try await run("resume", "--verbose")
        #expect(resumed.exitCode == 0, "\(resumed.errors)", sourceLocation: sourceLocation)
        #expect(!resumed.errors.contains("another runner's claim"), sourceLocation: sourceLocation)
        try await expectWhole("completed", sourceLocation: sourceLocation)
    }
}

/// A file system of a few pages that nobody else sees, full but for the end of the log's last page.
private enum FullDisk {
    static let unshare = "/usr/bin/unshare"
    static let options = ["--mount", "--propagation", "private", "/bin/sh", "-c"]

    /// Takes the log, a path to leave its copy at, and a command.
    static let script = """
        set -e
        log=$1 kept=$2 folder=$(dirname "$1")
        shift 2
        cp -p "$log" "$kept"
        mount -t tmpfs -o size=64k,mode=0700 none "$folder"
        cp -p "$kept" "$log"
        head -c 1m /dev/zero > "$folder/filler" 2> /dev/null || true
        code=0
        "$@" || code=$?
        cp -p "$log" "$kept"
        exit $code
        """

    /// Whether this user may mount in a namespace of its own.
    @Sendable static func isPossible() async -> Bool {
        guard access(unshare, X_OK) == 0, let home = try? KeyoverHome() else { return false }
        let probe = try? home.start(program: unshare, options + ["mount -t tmpfs -o size=64k none /mnt"])
        return (try? await probe?.finish())?.exitCode == 0
    }
}

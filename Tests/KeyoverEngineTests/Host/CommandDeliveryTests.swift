import Glibc
import KeyoverCore
import Testing

@testable import KeyoverEngine

@Suite struct CommandDeliveryTests {
    private let folder: Folder
    private let announcement: Announcement

    init() throws {
        folder = try Folder()
        announcement = Announcement(
            client: try #require(ClientName("billing")), generation: 42,
            rotation: try #require(UUIDv7(bytes: [UInt8](repeating: 3, count: 16))))
    }

    private func run(
        _ arguments: [String], _ delivery: CommandDelivery = CommandDelivery()
    ) async -> DeliveryError? {
        do {
            try await delivery.deliver(announcement, to: DeliveryTarget(kind: "command", arguments: arguments))
            return nil
        } catch { return error }
    }

    @Test func everyDeliveryIsRegisteredUnderItsKind() {
        #expect(DeliveryRegistry.byKind.count == DeliveryRegistry.all.count)
        #expect(DeliveryRegistry.byKind["command"] is CommandDelivery)
    }

    @Test func programLearnsWhatHasChangedAndNothingElse() async throws {
        setenv("KEYOVER_CANARY", "canary", 1)
        setenv("LD_LIBRARY_PATH_CANARY", "canary", 1)
        let hook = try folder.script(
            "hook", "{ env; pwd; echo \"$@\"; readlink /proc/self/fd/0; } > \(folder.path)/out")
        #expect(await run([hook, "a b", "$HOME"]) == nil)
        let lines = folder.text("out").split(separator: "\n").map(String.init)
        #expect(lines.contains("ROTATED_CLIENT=billing"))
        #expect(lines.contains("ROTATED_GENERATION=42"))
        #expect(lines.contains("ROTATION_ID=\(announcement.rotation)"))
        #expect(lines.contains("PATH=/usr/bin:/bin"))
        #expect(lines.contains("/") && lines.contains("a b $HOME") && lines.contains("/dev/null"))
        let names = Set(lines.filter { $0.contains("=") }.map { String($0.prefix { $0 != "=" }) })
        let allowed: Set = [
            "PATH", "HOME", "LANG", "ROTATED_CLIENT", "ROTATED_GENERATION", "ROTATION_ID", "PWD", "_", "OLDPWD",
            "SHLVL",
        ]
        #expect(names.isSubset(of: allowed))
    }

    @Test func programInheritsNoDescriptor() async throws {
        let leaked = open("/etc/passwd", O_RDONLY)  // without O_CLOEXEC, as a library might
        defer { close(leaked) }
        let hook = try folder.script("hook", "ls /proc/$$/fd > \(folder.path)/out")
        #expect(await run([hook]) == nil)
        let numbers = folder.text("out").split(separator: "\n").compactMap { Int($0) }
        #expect(!numbers.contains(Int(leaked)))
    }

    @Test func statusAndLastOutputTellOfAFailure() async throws {
        let hook = try folder.script(
            "hook", #"printf 'no \033[31mroom\033[0m\n left \302\233 \342\200\256x' >&2; exit 3"#)
        let error = try #require(await run([hook]))
        #expect(error.description == "\(hook) ended with status 3: no [31mroom [0m left x")
    }

    @Test func signalTellsOfAFailure() async throws {
        let hook = try folder.script("hook", "kill -9 $$")
        #expect(await run([hook])?.description == "\(hook) was ended by signal 9")
    }

    @Test func gigabytesOfOutputAreNotKept() async throws {
        let hook = try folder.script("hook", "head -c 300000000 /dev/zero; echo; echo the end; exit 1")
        let error = try #require(await run([hook]))
        #expect(error.description.utf8.count < 5000)
        #expect(error.description.hasSuffix("the end"))
    }

    @Test func endlessOutputEndsAtTheTimeLimit() async throws {
        let hook = try folder.script("hook", "yes")
        let delivery = CommandDelivery(timeLimit: .milliseconds(300), grace: .milliseconds(100))
        #expect(await run([hook], delivery)?.description.contains("did not end within 300ms") == true)
    }

    @Test func hangingProgramIsEndedWithItsGrandchildren() async throws {
        let hook = try folder.script(
            "hook",
            "trap '' TERM; (trap '' TERM; sh -c 'echo $$ > \(folder.path)/pid; trap \"\" TERM; while :; do sleep 1; done')"
        )
        let delivery = CommandDelivery(timeLimit: .milliseconds(700), grace: .milliseconds(100))
        let error = try #require(await run([hook], delivery))
        #expect(error.description.contains("did not end within 700ms"))
        let grandchild = try #require(pid_t(folder.text("pid").trimmed))
        try await eventually("the grandchild is gone") { isGone(grandchild) }
    }

    @Test func programThatEndsOnRequestMayCleanUp() async throws {
        let hook = try folder.script("hook", "trap 'echo done > \(folder.path)/out; exit 0' TERM; sleep 600 & wait")
        let delivery = CommandDelivery(timeLimit: .milliseconds(500), grace: .seconds(10))
        #expect(await run([hook], delivery) != nil)
        #expect(folder.text("out") == "done\n")
    }

    @Test func whatAProgramStartsAndLeavesBehindIsLeftAlone() async throws {
        let hook = try folder.script("hook", "sleep 600 & echo $! > \(folder.path)/pid")
        let begun = ContinuousClock.now
        #expect(await run([hook]) == nil)
        #expect(ContinuousClock.now - begun < .seconds(25), "its open standard output is not waited for")
        let left = try #require(pid_t(folder.text("pid").trimmed))
        #expect(!isGone(left))
        kill(left, SIGKILL)
    }

    @Test func cancelledDeliveryEndsItsProgram() async throws {
        let hook = try folder.script("hook", "echo $$ > \(folder.path)/pid; exec sleep 600")
        let task = Task { [announcement] in
            try await CommandDelivery().deliver(announcement, to: DeliveryTarget(kind: "command", arguments: [hook]))
        }
        try await eventually("it runs") { !folder.text("pid").trimmed.isEmpty }
        task.cancel()
        await #expect(throws: DeliveryError.self) { try await task.value }
        #expect(isGone(try #require(pid_t(folder.text("pid").trimmed))))
    }

    @Test func pathsThatCannotBeTrustedAreRefused() async throws {
        let good = try folder.script("good", "touch \(folder.path)/ran")
        let loose = try folder.script("loose", "touch \(folder.path)/ran", mode: 0o777)
        let group = try folder.script("group", "touch \(folder.path)/ran", mode: 0o775)
        let plain = try folder.script("plain", "touch \(folder.path)/ran", mode: 0o644)
        let link = folder.path + "/link"
        symlink(good, link)
        symlink(folder.path, folder.path + "/linked-folder")
        mkdir(folder.path + "/open", 0o777)
        chmod(folder.path + "/open", 0o777)
        let exposed = try folder.script("open/hook", "touch \(folder.path)/ran")
        let cases: [([String], String)] = [
            ([], "missing"), (["hook"], "not an absolute path"), (["../hook"], "not an absolute path"),
            (["/tmp/../\(good)"], "not an absolute path"), (["//bin/sh"], "not an absolute path"),
            ([loose], "changed by others"), ([group], "changed by others"), ([plain], "not executable"),
            ([link], "symbolic link"), ([folder.path + "/linked-folder/good"], "symbolic link"),
            ([exposed], "folder \(folder.path)/open can be changed"), ([folder.path], "not a plain file"),
            ([folder.path + "/none"], "cannot look at"), ([good, "a\0b"], "NUL"), ([good + "\0x"], "NUL"),
        ]
        for (arguments, reason) in cases {
            let error = try #require(await run(arguments), "\(arguments)")
            #expect(error.description.contains(reason))
        }
        #expect(access(folder.path + "/ran", F_OK) != 0)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
    func programOfAnotherUserIsRefused() async throws {
        let hook = try folder.script("hook", "true")
        chown(hook, 65_534, 65_534)
        #expect(await run([hook])?.description.contains("changed by others") == true)
    }

    @Test func programThatIsNoProgramIsNotStarted() async throws {
        let hook = try folder.write("hook", Array("#!/no/such/interpreter\n".utf8), mode: 0o755)
        #expect(await run([hook])?.description.contains("cannot be started") == true)
    }

    /// Whether no process with the id runs any more; one that waits to be reaped does not run.
    private func isGone(_ id: pid_t) -> Bool {
        guard let status = BoundedFile.read("/proc/\(id)/stat", limit: 512) else { return true }
        return String(decoding: status, as: UTF8.self).contains(") Z ")
    }
}

extension String {
    fileprivate var trimmed: String { filter { !$0.isWhitespace } }
}

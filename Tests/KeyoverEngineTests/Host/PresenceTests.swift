import Glibc
import KeyoverCore
import Testing

@testable import KeyoverEngine

@Suite struct PresenceTests {
    private let folder: Folder
    private let presence: LockFilePresence
    private let nonce = "00112233445566778899aabbccddeeff"

    init() throws {
        folder = try Folder()
        presence = LockFilePresence(stateDirectory: folder.path)
    }

    private func claim(_ nonce: String? = nil, at reading: ClockReading? = nil) -> Claim {
        Claim(nonce: nonce ?? self.nonce, host: "test", at: reading ?? SystemClock().now(), term: .seconds(30))
    }

    /// Another process that holds the lock of the nonce as a runner would.
    private func holder() async throws -> RunningProgram {
        presence.announce("ff")  // makes the folder
        let file = "\(folder.path)/runners/\(nonce)"
        let program = try RunningProgram(["/usr/bin/flock", "--nonblock", "--no-fork", file, "/bin/sleep", "600"])
        try await eventually("the lock is taken") {
            let probe = open(file, O_RDONLY | O_CLOEXEC)
            defer { close(probe) }
            return probe >= 0 && flock(probe, LOCK_SH | LOCK_NB) != 0
        }
        chmod(file, 0o600)
        return program
    }

    @Test func killedRunnerIsProvenDead() async throws {
        let runner = try await holder()
        #expect(!presence.isProvenDead(claim()))
        runner.signal(SIGKILL)
        runner.wait()
        #expect(presence.isProvenDead(claim()))
        #expect(presence.isProvenDead(claim()), "the proof can be repeated, for a take-over that has to try again")
    }

    @Test func stoppedRunnerIsNotDead() async throws {
        let runner = try await holder()
        runner.signal(SIGSTOP)
        runner.waitUntilStopped()
        #expect(!presence.isProvenDead(claim()))
        runner.signal(SIGKILL)
        runner.wait()
        #expect(presence.isProvenDead(claim()))
    }

    @Test func announcedRunnerOfThisProcessIsAlive() {
        presence.announce(nonce)
        #expect(!presence.isProvenDead(claim()))
        #expect(!LockFilePresence(stateDirectory: folder.path).isProvenDead(claim()))
    }

    @Test func withdrawnRunnerIsNotDeadButUnknown() {
        presence.announce(nonce)
        presence.withdraw(nonce)
        #expect(!presence.isProvenDead(claim()))
        #expect(access("\(folder.path)/runners/\(nonce)", F_OK) != 0)
    }

    @Test func anotherBootProvesNothing() async throws {
        let runner = try await holder()
        runner.signal(SIGKILL)
        runner.wait()
        var reading = SystemClock().now()
        reading.bootID = "11111111-2222-4333-8444-555555555555"
        #expect(!presence.isProvenDead(claim(at: reading)))
    }

    @Test(arguments: ["", "../secret", "a/b", "ABCDEF", ".", "00\n", String(repeating: "0", count: 129)])
    func nonceThatIsNoNonceIsIgnored(nonce: String) throws {
        presence.announce(nonce)
        #expect(!presence.isProvenDead(claim(nonce)))
        presence.withdraw(nonce)
    }

    @Test func linkInPlaceOfAFileProvesNothing() throws {
        presence.announce("ff")
        let target = try folder.write("target", [])
        symlink(target, "\(folder.path)/runners/\(nonce)")
        #expect(!presence.isProvenDead(claim()))
        presence.announce(nonce)
        #expect(access(target, F_OK) == 0)
    }

    @Test func looseFolderIsNotUsed() {
        presence.announce("ff")
        chmod("\(folder.path)/runners", 0o777)
        presence.announce(nonce)
        #expect(access("\(folder.path)/runners/\(nonce)", F_OK) != 0)
        #expect(!presence.isProvenDead(claim()))
    }

    @Test func onlyOldFilesOfTheDeadAreSweptAway() throws {
        presence.announce("ff")
        let names = ["aa", "bb"]
        for name in names { try folder.write("runners/\(name)", []) }
        var old = [timespec(tv_sec: time(nil) - 30 * 86_400, tv_nsec: 0), timespec(tv_sec: 0, tv_nsec: 0)]
        old[1] = old[0]
        utimensat(AT_FDCWD, "\(folder.path)/runners/aa", old, 0)
        utimensat(AT_FDCWD, "\(folder.path)/runners/ff", old, 0)
        presence.announce("cc")
        #expect(access("\(folder.path)/runners/aa", F_OK) != 0)
        #expect(access("\(folder.path)/runners/bb", F_OK) == 0)
        #expect(access("\(folder.path)/runners/ff", F_OK) == 0, "old, but its holder lives")
    }
}

import Dispatch
import Glibc
import KeyoverCore
import Testing

@testable import KeyoverEngine

/// A sink that cannot take entries says so within its bound and leaves the log as it was.
@Suite(.serialized) struct AuditSinkFailureTests {
    private let fixture: LogFixture
    private let billing: EntryMaker

    init() throws {
        fixture = try LogFixture()
        billing = try EntryMaker("billing")
    }

    private func failure(_ log: FileAuditLog? = nil) async -> AuditError? {
        await #expect(throws: AuditError.self) { try await (log ?? fixture.log()).append([billing.entry(1)]) }
    }

    private func makeFolder() {
        mkdir(fixture.folder.path + "/state", 0o700)
        mkdir(fixture.folder.path + "/state/audit", 0o700)
    }

    @Test func fifoInPlaceIsRefusedAtOnce() async {
        makeFolder()
        mkfifo(fixture.path, 0o600)
        #expect(await failure()?.code == .unwritable)
    }

    @Test func linkInPlaceIsRefused() async throws {
        makeFolder()
        let target = try fixture.folder.write("target", [])
        symlink(target, fixture.path)
        #expect(await failure()?.code == .unwritable)
        #expect(fixture.folder.read("target").isEmpty)
    }

    @Test func linkInPlaceOfTheFolderIsRefused() async throws {
        mkdir(fixture.folder.path + "/state", 0o700)
        mkdir(fixture.folder.path + "/elsewhere", 0o700)
        symlink(fixture.folder.path + "/elsewhere", fixture.folder.path + "/state/audit")
        #expect(await failure()?.code == .unwritable)
    }

    @Test func loosePermissionsAreRefusedWithARemedy() async throws {
        try await fixture.log().append([billing.entry(1)])
        chmod(fixture.path, 0o644)
        let error = await failure()
        #expect(error?.code == .unwritable && error?.remedy == "run `chmod 600 \(fixture.path)`")
        chmod(fixture.path, 0o600)
        chmod(fixture.folder.path + "/state/audit", 0o750)
        #expect(await failure()?.remedy == "run `chmod 700 \(fixture.folder.path)/state/audit`")
    }

    @Test func lockHeldByAnotherTimesOut() async throws {
        try await fixture.log().append([billing.entry(1)])
        let holder = open(fixture.path, O_RDONLY | O_CLOEXEC)
        #expect(flock(holder, LOCK_EX) == 0)
        let log = fixture.log(timeLimit: .seconds(1))
        let clock = ContinuousClock()
        let begun = clock.now
        let error = await failure(log)
        #expect(error?.code == .timedOut && error?.isRetryable == true)
        #expect(error?.message.contains("locked") == true)
        #expect(clock.now - begun < .seconds(30))
        close(holder)
        try await log.append([billing.entry(2)])
        #expect(fixture.lines().count == 2)
    }

    @Test func hangingSinkDoesNotHoldTheCooperativePool() async throws {
        try await fixture.log().append([billing.entry(1)])
        let holder = open(fixture.path, O_RDONLY | O_CLOEXEC)
        #expect(flock(holder, LOCK_EX) == 0)
        defer { close(holder) }
        let (fixture, entry) = (fixture, billing.entry(2))
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    do throws(AuditError) {
                        try await fixture.log(timeLimit: .seconds(2)).append([entry])
                        return false
                    } catch { return error.code == .timedOut }
                }
            }
            // Were the threads of the pool taken, this could not finish before the appends give up.
            let begun = ContinuousClock.now
            await Task.detached { await Task.yield() }.value
            #expect(ContinuousClock.now - begun < .seconds(1))
            for await timedOut in group { #expect(timedOut) }
        }
    }

    @Test func callBehindAHangingOneTimesOutToo() async throws {
        let lane = BlockingLane("test")
        let gate = DispatchSemaphore(value: 0)
        async let first: Int? = lane.run(within: .milliseconds(100)) { _ in
            gate.wait()
            return 1
        }
        #expect(await first == nil)
        let second: Int? = await lane.run(within: .milliseconds(100)) { _ in 2 }
        #expect(second == nil)
        gate.signal()
        let third: Int? = await lane.run(within: .seconds(10)) { _ in 3 }
        #expect(third == 3)
    }

    /// A limit on file sizes fails a write in its middle, as a full disk does.
    @Test func fullDiskLeavesTheLogAsItWas() async throws {
        try await fixture.log().append(billing.entries(1...3))
        let lines = fixture.lines()
        // Far above what other tests write meanwhile: a hole, then the end of the log.
        let limit = 64 << 20
        let tail = Array(lines.joined())
        let descriptor = open(fixture.path, O_WRONLY | O_CLOEXEC)
        let size = limit - 200
        ftruncate(descriptor, 0)
        #expect(pwrite(descriptor, [10] + tail, tail.count + 1, off_t(size - tail.count - 1)) == tail.count + 1)
        close(descriptor)

        var (before, during) = (rlimit(), rlimit())
        let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
        #expect(getrlimit(resource, &before) == 0)
        during = rlimit(rlim_cur: rlim_t(limit), rlim_max: before.rlim_max)
        signal(SIGXFSZ, SIG_IGN)
        #expect(setrlimit(resource, &during) == 0)
        let error = await #expect(throws: AuditError.self) { try await fixture.log().append([billing.entry(4)]) }
        #expect(setrlimit(resource, &before) == 0)

        #expect(error?.code == .unwritable && error?.remedy?.contains("room") == true && error?.isRetryable == true)
        var status = stat()
        stat(fixture.path, &status)
        #expect(Int(status.st_size) == size)
        try await fixture.log().append([billing.entry(3), billing.entry(4)])
        #expect(try await fixture.log().head().count == 4)
    }
}

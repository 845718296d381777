import Glibc
import KeyoverSandbox
import Testing

/// Two real programs at one rotation: whoever does not hold the claim keeps out.
@Suite("Two at once")
struct RaceTests {
    @Test("of two that rotate one client, one completes and the other finds it busy")
    func twoRotate() async throws {
        try await Rehearsal.run { rehearsal in
            try await Traffic.flows(in: rehearsal) {
                let (first, second) = (try rehearsal.rotate(), try rehearsal.rotate())
                let results = [try await first.finish(), try await second.finish()]
                #expect(results.compactMap(\.exitCode).sorted() == [0, 6], "\(results)")
                let loser = results.first { $0.exitCode == 6 }
                #expect(loser?.errors.contains("hint: run keyover status \(Rehearsal.client)") == true)
                #expect(try rehearsal.writes() == [.add: 1, .deactivate: 1, .delete: 1])
                try await rehearsal.expectWhole("completed")
            }
        }
    }

    @Test("one that comes while another is at work finds it busy", arguments: ["rotate", "resume", "abort"])
    func comesLater(_ command: String) async throws {
        try await Rehearsal.run(.init(soak: "4s")) { rehearsal in
            let first = try rehearsal.rotate()
            try await Moment.verifying.arrive(first, in: rehearsal)
            let impatient = try await rehearsal.run(command, "--wait", "0s")
            #expect(impatient.exitCode == 6, "\(impatient.errors)")
            // Patience is for claims that nobody renews; this one is.
            let patient = try await rehearsal.run(command, "--wait", "10m")
            #expect(patient.exitCode == 6, "\(patient.errors)")
            #expect(try await first.finish().exitCode == 0)
            try await rehearsal.expectWhole("completed")
        }
    }

    /// The add is declared, and may or may not have been sent when the process stops.
    private static let mintDeclared = Moment(
        testDescription: "as soon as the add was declared", stage: "minting", sign: .noted("intent.add"))

    @Test(
        "one that was stopped for longer than its claim changes nothing when it goes on",
        arguments: [mintDeclared, .mintInFlight, .verifying, .draining, .deactivationInFlight, .removalInFlight])
    func wasStopped(at moment: Moment) async throws {
        try await Rehearsal.run(.init(soak: "2s")) { rehearsal in
            try await Traffic.flows(in: rehearsal) {
                try rehearsal.slow(before: moment.before)
                let first = try rehearsal.rotate()
                try await moment.arrive(first, in: rehearsal)
                try await rehearsal.stop(first)
                try rehearsal.slow()

                let impatient = try await rehearsal.run("rotate", "--wait", "1s")
                #expect(impatient.exitCode == 6, "\(impatient.errors)")
                let second = try await rehearsal.run("rotate", "--wait", "60s")
                #expect(second.exitCode == 0, "\(second.errors)")
                let writes = try rehearsal.writes()

                first.send(SIGCONT)
                let late = try await first.finish()
                #expect(late.exitCode == 6, "\(late.errors)")
                #expect(late.errors.contains("hint: run keyover status \(Rehearsal.client)"))
                #expect(try rehearsal.writes() == writes, "a lost claim writes nothing")
                try await rehearsal.expectWhole("completed")
            }
        }
    }

    @Test("one that was stopped and goes on within its claim completes")
    func wasStoppedBriefly() async throws {
        try await Rehearsal.run(.init(claimTerm: "30s")) { rehearsal in
            let first = try rehearsal.rotate()
            try await Moment.draining.arrive(first, in: rehearsal)
            try await rehearsal.stop(first)
            #expect(try await rehearsal.run("resume", "--wait", "1s").exitCode == 6)
            first.send(SIGCONT)
            #expect(try await first.finish().exitCode == 0)
            try await rehearsal.expectWhole("completed")
        }
    }
}

extension Rehearsal {
    /// Stops a process anywhere but in the few milliseconds in which it holds the lock of the audit log or the vault.
    ///
    /// There it would keep every other one from noting or storing what it does, and so from doing anything.
    fileprivate func stop(_ process: KeyoverProcess) async throws {
        let descriptor = open(try logFile(), O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        let index = open(home.path + "/data/keyover/vault/vault.db-shm", O_RDONLY | O_CLOEXEC)
        try #require(index >= 0)
        defer { close(index) }
        try await eventually("a moment without a lock") {
            process.send(SIGSTOP)
            try await eventually("the stop") { process.isStopped }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                flock(descriptor, LOCK_UN)
                if !Self.isBeingWritten(index) { return true }
            }
            process.send(SIGCONT)
            return false
        }
    }

    /// Whether a process holds one of SQLite's locks on the index of the write-ahead log, whose bytes are 120 to 127.
    private static func isBeingWritten(_ index: Int32) -> Bool {
        var probe = flock(l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 120, l_len: 3, l_pid: 0)
        let asked = fcntl(index, F_GETLK, &probe)
        return asked != 0 || probe.l_type != Int16(F_UNLCK)
    }
}

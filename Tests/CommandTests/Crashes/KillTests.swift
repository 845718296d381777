import Glibc
import KeyoverSandbox
import Testing

/// `kill -9` of the real program at every stage of a rotation, under traffic; then `resume`.
@Suite("Killed in the middle")
struct KillTests {
    @Test(
        "resume completes, leaves no orphan, and no request fails",
        arguments: Moment.reversible + Moment.irreversible)
    func resume(after moment: Moment) async throws {
        try await Rehearsal.killed(at: moment) { rehearsal in
            let result = try await rehearsal.run("resume")
            #expect(result.exitCode == 0, "\(result.errors)")
            try await rehearsal.expectWhole("completed")
        }
    }

    @Test("what a mint left behind is found, though it commits only after the process has died")
    func lateMint() async throws {
        try await Rehearsal.killed(at: .mintInFlight) { rehearsal in
            #expect(rehearsal.writes(.add) == 0)
            try await eventually("the add of the dead process") { rehearsal.writes(.add) == 1 }
            #expect(try rehearsal.listed().count == 2)
            #expect(try await rehearsal.run("resume").exitCode == 0)
            #expect(rehearsal.writes(.add) == 2)
            #expect(rehearsal.hasNoted("orphan.removed"))
            try await rehearsal.expectWhole("completed")
        }
    }

    @Test("a rotation that is killed again and again gets to its end")
    func again() async throws {
        try await Rehearsal.run { rehearsal in
            try await Traffic.flows(in: rehearsal) {
                var process = try rehearsal.rotate()
                for moment in [Moment.verifying, .draining, .soaking, .proving] {
                    try await moment.arrive(process, in: rehearsal)
                    process.send(SIGKILL)
                    try await process.finish()
                    process = try rehearsal.home.start(["resume", Rehearsal.client])
                }
                #expect(try await process.finish().exitCode == 0)
                try await rehearsal.expectWhole("completed")
            }
        }
    }
}

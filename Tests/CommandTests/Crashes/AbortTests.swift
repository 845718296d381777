import Glibc
import KeyoverSandbox
import Testing

/// `abort`, before and after the point of no return, under traffic.
@Suite("Aborting")
struct AbortTests {
    @Test(
        "before the point of no return, all is as before, and no request fails",
        arguments: Moment.reversible)
    func goesBack(from moment: Moment) async throws {
        try await Rehearsal.killed(at: moment) { rehearsal in
            let result = try await rehearsal.run("abort")
            #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
            try await rehearsal.expectWhole("rolledBack")
            #expect(try await rehearsal.activeSecret() == rehearsal.firstSecret)
        }
    }

    @Test("the new secret is refused once the way back is over")
    func newSecretIsDead() async throws {
        try await Rehearsal.run { rehearsal in
            #expect(try await rehearsal.rotate("--until", "draining").finish().exitCode == 0)
            let new = try await rehearsal.activeSecret()
            #expect(new != rehearsal.firstSecret)
            #expect(try await rehearsal.run("abort").exitCode == 0)
            #expect(try await rehearsal.consumer.use(new).isRefused)
            // Forth, and back through a gate of its own.
            #expect(rehearsal.hasNoted("traffic.moved", times: 2))
            #expect(!rehearsal.hasNoted("traffic.moved", times: 3))
            #expect(rehearsal.hasNoted("rotation.drainBack"))
            try await rehearsal.expectWhole("rolledBack")
        }
    }

    @Test("from the point of no return on it is refused, and resume completes", arguments: Moment.irreversible)
    func isRefused(from moment: Moment) async throws {
        try await Rehearsal.killed(at: moment) { rehearsal in
            let result = try await rehearsal.run("abort")
            #expect(result.exitCode == 1)
            #expect(result.errors.contains("error: "))
            #expect(result.errors.contains("hint: run keyover resume \(Rehearsal.client)"))
            #expect(try await rehearsal.run("resume").exitCode == 0)
            try await rehearsal.expectWhole("completed")
        }
    }

    @Test("what was killed on its way back is brought to its end by resume")
    func killedOnTheWayBack() async throws {
        try await Rehearsal.run { rehearsal in
            try await Traffic.flows(in: rehearsal) {
                #expect(try await rehearsal.rotate("--until", "draining").finish().exitCode == 0)
                var process = try rehearsal.home.start(["abort", Rehearsal.client])
                for stage in ["precheck", "drainBack", "provingRemoved"] {
                    let moment = Moment(testDescription: stage, stage: stage, sign: .entered)
                    try await moment.arrive(process, in: rehearsal)
                    process.send(SIGKILL)
                    try await process.finish()
                    process = try rehearsal.home.start(["resume", Rehearsal.client])
                }
                let result = try await process.finish()
                #expect(result.exitCode == 0, "\(result.errors)")
                try await rehearsal.expectWhole("rolledBack")
            }
        }
    }
}

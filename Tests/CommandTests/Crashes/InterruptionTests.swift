import Glibc
import KeyoverSandbox
import Testing

/// Ctrl-C and its like: the command ends soon, says how to go on, and leaves nothing that has to run out first.
@Suite("Interrupted")
struct InterruptionTests {
    @Test(
        "Ctrl-C in a long stage leaves a rotation that resume goes on with at once",
        arguments: [
            Moment.counting, .mintInFlight, .verifying, .cutOver, .draining, .deactivationInFlight, .soaking, .proving,
        ])
    func interrupted(in moment: Moment) async throws {
        let soak = moment.stage == "soaking" ? "1h" : "1s"
        try await Rehearsal.run(.init(soak: soak, hook: moment.hook)) { rehearsal in
            try rehearsal.slow(before: moment.before)
            let process = try rehearsal.rotate("--wait", "2h")
            try await moment.arrive(process, in: rehearsal)
            process.send(SIGINT)
            // Time for a request that is under way, whose answer must not be lost, and for a hook.
            try await expectStopped(process, in: rehearsal, within: .seconds(10))
            try rehearsal.slow()

            try rehearsal.home.write("soak: 1s\n", to: "policies/rehearsal.yaml")
            let resumed = try await rehearsal.run("resume", "--wait", "8s", "--verbose")
            #expect(resumed.exitCode == 0, "\(resumed.errors)")
            #expect(!resumed.errors.contains("another runner's claim"))
            try await rehearsal.expectWhole("completed")
        }
    }

    @Test("SIGTERM is heard like Ctrl-C, by abort as well")
    func terminated() async throws {
        try await Rehearsal.run { rehearsal in
            #expect(try await rehearsal.rotate("--until", "draining").finish().exitCode == 0)
            let process = try rehearsal.home.start(["abort", Rehearsal.client])
            try await Moment(testDescription: "drainBack", stage: "drainBack", sign: .entered)
                .arrive(process, in: rehearsal)
            process.send(SIGTERM)
            try await expectStopped(process, in: rehearsal, within: .seconds(5))
            #expect(try await rehearsal.run("resume").exitCode == 0)
            try await rehearsal.expectWhole("rolledBack")
        }
    }

    @Test("a second Ctrl-C ends the process at once, and nothing is lost")
    func twice() async throws {
        try await Rehearsal.run { rehearsal in
            try rehearsal.slow(before: [.add: 1500])
            let process = try rehearsal.rotate()
            try await Moment.mintInFlight.arrive(process, in: rehearsal)
            process.send(SIGINT)
            try await eventually("the first Ctrl-C is heard") { process.errorsSoFar.contains("safe point") }
            process.send(SIGINT)
            #expect(try await process.finish(within: .seconds(5)).exitCode == 130)
            try rehearsal.slow()
            #expect(try await rehearsal.run("resume").exitCode == 0)
            try await rehearsal.expectWhole("completed")
        }
    }

    private func expectStopped(
        _ process: KeyoverProcess, in rehearsal: Rehearsal, within limit: Duration
    ) async throws {
        let result = try await process.finish(within: limit)
        #expect(result.exitCode == 8, "\(result.errors)")
        #expect(result.errors.contains("error: the rotation of \(Rehearsal.client) was interrupted"))
        #expect(result.errors.contains("hint: run keyover resume \(Rehearsal.client)\n"))
        let status = try await rehearsal.status()
        #expect(status.rotation?.runner == nil, "the claim was given back")
        #expect(status.next == "keyover resume \(Rehearsal.client)")
    }
}

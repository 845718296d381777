import Testing

/// New keys while a rotation is under way: the runner stops at its next write, and nothing is lost.
@Suite("New keys in the middle of a rotation")
struct RekeyInRotationTests {
    @Test(
        "the runner fails closed with what to type, applications notice nothing, and resume completes",
        arguments: [Moment.mintInFlight, .verifying, .draining, .deactivationInFlight, .removalInFlight])
    func rekey(at moment: Moment) async throws {
        try await Rehearsal.run(.init(soak: "2s")) { rehearsal in
            try await Traffic.flows(in: rehearsal) {
                try rehearsal.slow(before: moment.before)
                let runner = try rehearsal.rotate()
                try await moment.arrive(runner, in: rehearsal)
                let rekeyed = try await rehearsal.home.run("vault", "rekey")
                #expect(rekeyed.exitCode == 0, "\(rekeyed.errors)")
                let stopped = try await runner.finish()
                #expect(stopped.exitCode == 5, "\(stopped.errors)")
                #expect(stopped.errors.contains("hint:"), "\(stopped.errors)")
                try rehearsal.slow()
                let resumed = try await rehearsal.run("resume", "--wait", "60s")
                #expect(resumed.exitCode == 0, "\(resumed.errors)")
                try await rehearsal.expectWhole("completed")
            }
        }
    }
}

import KeyoverCore
import KeyoverOAuth
import Testing

/// Repetition, on a clock that the test drives.
@Suite struct RetryTests {
    /// Always the same words, so that jitter is known.
    private struct FixedGenerator: RandomNumberGenerator {
        var word: UInt64
        mutating func next() -> UInt64 { word }
    }

    // Not 0: the standard library would reject it for ever.
    private static let least: UInt64 = 1

    /// Runs against failures in a row, then success; tells the waits and the number of calls.
    private func run(
        _ retry: Retry, failures: [FailureClass], jitter: UInt64 = .max
    ) async -> (waits: [TimeSpan], calls: Int, error: ExchangeError?) {
        var waits: [TimeSpan] = []
        var calls = 0
        var generator = FixedGenerator(word: jitter)
        let sleep = { (wait: TimeSpan) async throws in waits.append(wait) }
        do {
            let number = try await retry.run(sleep: sleep, using: &generator) { () throws(ExchangeError) in
                calls += 1
                if calls <= failures.count { throw ExchangeError(failures[calls - 1], "failure \(calls)") }
                return calls
            }
            #expect(number == calls)
            return (waits, calls, nil)
        } catch {
            return (waits, calls, error)
        }
    }

    @Test func aSuccessIsNotRepeated() async {
        let run = await run(Retry(), failures: [])
        #expect(run.calls == 1 && run.waits.isEmpty && run.error == nil)
    }

    @Test func theCeilingOfWaitsDoublesUpToTheLongest() async {
        let retry = Retry(attempts: 6, firstDelay: .seconds(1), longestDelay: .seconds(5), budget: .minutes(5))
        let run = await run(retry, failures: Array(repeating: .transient, count: 5))
        #expect(run.waits == [1, 2, 4, 5, 5].map(TimeSpan.seconds))
        #expect(run.error == nil)
    }

    @Test func jitterReachesDownToNothing() async {
        let run = await run(Retry(), failures: [.transient], jitter: Self.least)
        #expect(run.waits == [.zero])
    }

    @Test func theLastFailureIsThrownWhenAttemptsRunOut() async {
        let run = await run(Retry(attempts: 3), failures: Array(repeating: .transient, count: 9))
        #expect(run.calls == 3)
        #expect(run.error?.message == "failure 3")
    }

    @Test(arguments: [
        FailureClass.credentialRejected, .clientDisabled, .scopeInsufficient, .clockSkew, .notFound, .quotaFull,
        .unknown,
    ])
    func whatDoesNotPassIsNotRepeated(failure: FailureClass) async {
        let run = await run(Retry(), failures: [failure])
        #expect(run.calls == 1)
        #expect(run.error?.failure == failure)
    }

    @Test func retryAfterIsTheLeastAndJitterComesOnTop() async {
        let failures: [FailureClass] = [.rateLimited(retryAfter: .seconds(7)), .rateLimited(retryAfter: nil)]
        let least = await run(Retry(), failures: failures, jitter: Self.least)
        #expect(least.waits == [.seconds(7), .zero])
        let most = await run(Retry(firstDelay: .seconds(1)), failures: failures)
        #expect(most.waits == [.seconds(8), .seconds(2)])
    }

    @Test func aWaitBeyondTheBudgetIsNotBegun() async {
        let run = await run(Retry(budget: .seconds(10)), failures: [.rateLimited(retryAfter: .seconds(11))])
        #expect(run.waits.isEmpty)
        #expect(run.error?.failure == .rateLimited(retryAfter: .seconds(11)))
    }

    @Test func theBudgetCountsAllWaitsTogether() async {
        let run = await run(
            Retry(attempts: 9, budget: .seconds(10)),
            failures: Array(repeating: .rateLimited(retryAfter: .seconds(4)), count: 8), jitter: Self.least)
        #expect(run.waits == [.seconds(4), .seconds(4)])
        #expect(run.error?.message == "failure 3")
    }

    @Test func aCancelledWaitEndsInTheLastFailure() async {
        var generator = FixedGenerator(word: Self.least)
        let sleep = { (_: TimeSpan) async throws in throw CancellationError() }
        let error = await #expect(throws: ExchangeError.self) {
            try await Retry().run(sleep: sleep, using: &generator) { () throws(ExchangeError) in
                throw ExchangeError(.transient, "down")
            }
        }
        #expect(error?.message == "down")
    }
}

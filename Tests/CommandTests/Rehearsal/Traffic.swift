import KeyoverSandbox
import Synchronization
import Testing

/// Applications that go on working while a secret is rotated: each asks `keyover get`, keeps what it got for a while,
/// and meanwhile exchanges it for tokens and calls the resource, over and over.
///
/// One asks a few times a second. The other lets each secret lie for nearly as long as was declared to Keyover and only
/// then uses it: nobody can know of it meanwhile, and a rotation in a hurry would hurt it.
final class Traffic: Sendable {
    private struct Tally {
        var requests = 0
        var failures: [String] = []
    }

    private let rehearsal: Rehearsal
    private let tally = Mutex(Tally())
    private let isOver = Flag()

    private init(_ rehearsal: Rehearsal) {
        self.rehearsal = rehearsal
    }

    /// Carries the body out under traffic, and holds that no request failed before, during and after it.
    static func flows(
        in rehearsal: Rehearsal, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
    ) async throws {
        let traffic = Traffic(rehearsal)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await traffic.work(keeping: Rehearsal.cache * 0.15, after: .zero) }
            group.addTask { await traffic.work(keeping: Rehearsal.cache * 0.75, after: Rehearsal.cache * 0.7) }
            defer { traffic.isOver.set() }
            try await traffic.someMore()
            try await body()
            try await traffic.someMore()
        }
        let (requests, failures) = traffic.tally.withLock { ($0.requests, $0.failures) }
        #expect(failures.isEmpty, "of \(requests) requests", sourceLocation: sourceLocation)
    }

    /// Returns when there were some more requests.
    private func someMore() async throws {
        let start = tally.withLock { $0.requests }
        try await eventually("traffic", every: .milliseconds(10)) {
            tally.withLock { $0.requests >= start + 20 || !$0.failures.isEmpty }
        }
    }

    private func work(keeping span: Duration, after nap: Duration) async {
        var held: (secret: String, askedAt: ContinuousClock.Instant)?
        while !isOver.isSet {
            do {
                if held.map({ $0.askedAt.duration(to: .now) > span }) ?? true {
                    let askedAt = ContinuousClock.now
                    held = (try await rehearsal.activeSecret(), askedAt)
                    try await Task.sleep(until: askedAt + nap)
                }
                guard let held, held.askedAt.duration(to: .now) < span else { continue }
                let outcome = try await rehearsal.consumer.use(held.secret)
                // On a machine so busy that the request took this long, the consumer did not keep to what it declared.
                let isOwnFault = held.askedAt.duration(to: .now) > Rehearsal.cache
                switch outcome {
                case .granted: tally.withLock { $0.requests += 1 }
                case .refused(let why): if !isOwnFault { fail(why) }
                }
                // Two at work all the time would leave no processor for those who rotate.
                try await Task.sleep(for: .milliseconds(10))
            } catch {
                fail("\(error)")
            }
        }
    }

    private func fail(_ why: String) {
        tally.withLock { if $0.failures.count < 5 { $0.failures.append(why) } }
    }
}

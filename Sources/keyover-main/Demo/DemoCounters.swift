import KeyoverCore
import KeyoverSandbox
import Synchronization

/// What the workers count.
final class DemoCounters: Sendable {
    private static let messagesKept = 5

    private let succeededCount = Atomic<Int>(0)
    private let failedCount = Atomic<Int>(0)
    private let throttledCount = Atomic<Int>(0)
    private let kept = Mutex<[String]>([])

    /// Requests that went through from the secret to the resource.
    var successes: Int { succeededCount.load(ordering: .relaxed) }
    /// Requests that did not.
    var failures: Int { failedCount.load(ordering: .relaxed) }
    /// All requests.
    var requests: Int { successes + failures }
    /// How often a worker was told to come back later, and did.
    var throttles: Int { throttledCount.load(ordering: .relaxed) }
    /// The first few failures.
    var messages: [String] { kept.withLock { $0 } }

    func succeeded() { succeededCount.add(1, ordering: .relaxed) }

    func throttled() { throttledCount.add(1, ordering: .relaxed) }

    func failed(_ message: String) {
        failedCount.add(1, ordering: .relaxed)
        kept.withLock { if $0.count < Self.messagesKept { $0.append(message) } }
    }

    /// Returns when there were so many requests, or somebody wants to stop.
    func reach(_ count: Int) async throws {
        while requests < count, !Signals.wasAsked { try await Task.sleep(for: .milliseconds(20)) }
    }
}

/// When the rotation entered which stage, and what the server had counted when traffic moved.
final class DemoTimeline: Sendable {
    struct Entry: Sendable {
        let stage: Stage
        let at: Duration
    }

    private struct State {
        var entries: [Entry] = []
        var atCutOver: SandboxStatistics?
    }

    private let began = ContinuousClock.now
    private let state = Mutex(State())

    var elapsed: Duration { began.duration(to: .now) }
    var entries: [Entry] { state.withLock(\.entries) }
    var atCutOver: SandboxStatistics? { state.withLock(\.atCutOver) }
    var stage: Stage? { state.withLock { $0.entries.last?.stage } }

    func enter(_ stage: Stage, statistics: SandboxStatistics?) {
        let now = elapsed
        state.withLock { state in
            if state.entries.last?.stage != stage { state.entries.append(Entry(stage: stage, at: now)) }
            if let statistics { state.atCutOver = statistics }
        }
    }
}

import Dispatch
import KeyoverCore
import Synchronization

/// A thread of its own for calls that may block, one after the other, away from the threads that tasks run on.
///
/// The caller stops waiting at the time limit. The call itself cannot be stopped by force: it is handed the deadline, has
/// to look at it, and when it hangs in the kernel, later calls of the lane are given up in their turn.
final class BlockingLane: Sendable {
    // A serial queue without a target gets a thread even while every thread of the pool is busy.
    private let queue: DispatchQueue
    private static let timers = DispatchQueue(label: "keyover.deadlines")

    init(_ label: String) {
        queue = DispatchQueue(label: "keyover." + label)
    }

    /// The result of the work, or `nil` when the time is over before.
    func run<Value: Sendable>(
        within limit: TimeSpan, _ work: @escaping @Sendable (Deadline) -> Value
    ) async -> Value? {
        let deadline = Deadline(after: limit)
        return await withCheckedContinuation { continuation in
            let answer = SingleAnswer(continuation)
            queue.async {
                if !deadline.isOver { answer.give(work(deadline)) }
            }
            Self.timers.asyncAfter(deadline: .now() + .milliseconds(Int(limit.milliseconds))) { answer.give(nil) }
        }
    }

    /// The result of work that takes as long as it takes.
    func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: work()) }
        }
    }
}

/// The moment, by a clock that does not jump, at which an attempt is to end.
struct Deadline: Sendable {
    private let instant: ContinuousClock.Instant

    init(after span: TimeSpan) {
        instant = .now + span.duration
    }

    /// Whether the moment has come.
    var isOver: Bool { instant <= .now }

    /// The time left, never negative.
    var remaining: TimeSpan {
        let (seconds, attoseconds) = (instant - .now).components
        return max(.zero, .milliseconds(seconds * 1000 + attoseconds / 1_000_000_000_000_000))
    }
}

/// A continuation that the first answer resumes; later ones are dropped.
private final class SingleAnswer<Value: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Value?, Never>?>

    init(_ continuation: CheckedContinuation<Value?, Never>) {
        self.continuation = Mutex(continuation)
    }

    func give(_ value: Value?) {
        let waiting = continuation.withLock { held in
            defer { held = nil }
            return held
        }
        waiting?.resume(returning: value)
    }
}

internal import KeyoverCore
internal import Synchronization

/// A wish to stop, heard at the next safe point: never between a provider write and the storing of its answer.
///
/// Ctrl-C makes the wish. Cancelling the task that runs the engine would also cut short writes to the vault, which is
/// how secrets get lost; so the engine's task is not cancelled, only its sleep is.
public final class Interruption: Sendable {
    private struct State {
        var isRequested = false
        var sleeper: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// No wish so far.
    public init() {}

    /// Whether the wish was made.
    public var isRequested: Bool { state.withLock(\.isRequested) }

    /// Makes the wish and ends a sleep in progress.
    public func request() {
        let sleeper = state.withLock { state in
            state.isRequested = true
            return state.sleeper.take()
        }
        sleeper?.resume()
    }

    /// Sleeps, or throws `CancellationError` as soon as the wish is made.
    func sleep(for span: TimeSpan, on clock: any EngineClock) async throws {
        // Child tasks keep to the executor of the engine's task, as one of its own making would not.
        try await withThrowingTaskGroup { group in
            group.addTask { try await clock.sleep(for: span) }
            group.addTask { await self.wish() }
            defer { group.cancelAll() }
            try await group.next()
        }
        if isRequested { throw CancellationError() }
    }

    /// Returns once the wish is made or the task is cancelled.
    private func wish() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isRequested || Task.isCancelled { return true }
                    state.sleeper = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleeper.take() }?.resume()
        }
    }
}

extension EngineParts {
    /// Sleeps on the engine's clock until the span is over or somebody wants to stop.
    func sleep(for span: TimeSpan) async throws {
        guard let interruption else { return try await clock.sleep(for: span) }
        try await interruption.sleep(for: span, on: clock)
    }
}

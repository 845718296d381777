import CSecretService
import Dispatch
import KeyoverCore

/// Calls of the library, each ended by a timer when nobody answers, and all of them together bounded as well.
struct BoundedCalls {
    /// How long the service may take for one answer.
    private static let limit = Duration.seconds(2)

    private let end: ContinuousClock.Instant

    /// Calls that are to be over within the time.
    init(within patience: TimeSpan) {
        end = .now + .milliseconds(patience.milliseconds)
    }

    /// What is left of the time.
    var rest: TimeSpan {
        let (seconds, attoseconds) = (end - .now).components
        return .milliseconds(max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000))
    }

    /// Makes one call; an error that it reports is thrown in Keyover's form.
    func call<Answer>(
        _ body: (UnsafeMutablePointer<GCancellable>?, inout UnsafeMutablePointer<GError>?) -> Answer
    ) throws(VaultError) -> Answer {
        let timer = CallTimer(min(Self.limit, max(.zero, end - .now)))
        defer { timer.stop() }
        var failure: UnsafeMutablePointer<GError>?
        let answer = body(timer.cancellable, &failure)
        guard let failure else { return answer }
        defer { g_error_free(failure) }
        throw ServiceFailure.error(failure)
    }
}

/// Cancels a call when its time is over.
private final class CallTimer {
    // A queue of its own: those that are shared may be full of calls that wait for this very timer.
    private static let queue = DispatchQueue(label: "keyover.secret-service.timers")

    private let handle: Handle
    private let timer: any DispatchSourceTimer

    var cancellable: UnsafeMutablePointer<GCancellable>? { handle.pointer }

    init(_ limit: Duration) {
        let handle = Handle()
        self.handle = handle
        let timer = DispatchSource.makeTimerSource(queue: Self.queue)
        let (seconds, attoseconds) = limit.components
        timer.schedule(deadline: .now() + .nanoseconds(Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)))
        timer.setEventHandler { g_cancellable_cancel(handle.pointer) }
        self.timer = timer
        timer.resume()
    }

    func stop() { timer.cancel() }

    /// GLib lets any thread cancel.
    private final class Handle: @unchecked Sendable {
        let pointer = g_cancellable_new()

        deinit {
            if let pointer { g_object_unref(pointer) }
        }
    }
}

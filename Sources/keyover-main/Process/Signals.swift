import Dispatch
import Glibc
import KeyoverEngine
import Synchronization

/// Ctrl-C and SIGTERM: the first one wishes that the work under way stops where it can be resumed, the second ends the
/// process, which is no worse than `kill -9`.
enum Signals {
    /// The wish, as the engine hears it.
    static let interruption = KeyoverEngine.Interruption()

    /// The exit code of a process that a second signal ended.
    static let abruptStatus: Int32 = 130

    private static let count = Atomic<Int32>(0)
    private static let pipeEnd = Atomic<Int32>(-1)

    /// Whether a signal asked the process to stop.
    static var wasAsked: Bool { count.load(ordering: .relaxed) > 0 }

    /// Runs the work; the first signal makes the wish known, and cancels the work where that does no harm.
    ///
    /// A task that drives a rotation must not be cancelled: that would cut short the very write that stores a secret.
    static func guarding(
        cancels: Bool, onSignal: @escaping @Sendable () -> Void, _ work: @escaping @Sendable () async -> Int32
    ) async -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return await work() }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        pipeEnd.store(ends[1], ordering: .sequentiallyConsistent)
        let task = Task { await work() }
        let source = DispatchSource.makeReadSource(fileDescriptor: ends[0], queue: .global())
        source.setEventHandler {
            source.cancel()
            onSignal()
            interruption.request()
            if cancels { task.cancel() }
        }
        source.activate()
        handle(SIGINT)
        handle(SIGTERM)
        defer { source.cancel() }
        return await task.value
    }

    /// Writing to a reader that has gone is an error like others.
    ///
    /// A handler that does nothing, not `SIG_IGN`: programs that are started begin with the default again.
    static func ignoreBrokenPipes() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        sigaction(SIGPIPE, &action, nil)
    }

    private static func handle(_ signal: Int32) {
        var action = sigaction()
        action.sa_flags = SA_RESTART
        // Only what is safe within a signal handler: atomics, write, _exit.
        action.__sigaction_handler.sa_handler = { _ in
            if Signals.count.add(1, ordering: .relaxed).oldValue > 0 { _exit(Signals.abruptStatus) }
            var byte: UInt8 = 0
            _ = write(Signals.pipeEnd.load(ordering: .relaxed), &byte, 1)
        }
        sigaction(signal, &action, nil)
    }
}

internal import CKeyoverProcess
import Glibc
import KeyoverCore
import Synchronization

/// A program to run to its end, with a bound on its time and on what is kept of its output.
struct ChildProgram: Sendable {
    /// Path and arguments.
    let arguments: [String]
    /// The whole environment, `NAME=value` each.
    let environment: [String]
    /// What it reads; nothing when `nil`.
    var input: Int32?
    /// How many of the last bytes of output are kept.
    let outputLimit: Int

    /// How a run ended.
    enum End: Sendable {
        case exited(status: Int32, output: [UInt8])
        case killed(signal: Int32, output: [UInt8])
        case timedOut(output: [UInt8])
        case stopped
        case notStarted(errorNumber: Int32)
    }

    /// Runs the program; blocks for the time limit and the grace at most.
    func run(for timeLimit: TimeSpan, grace: TimeSpan, stop: StopSignal) -> End {
        var ends: [Int32] = [-1, -1]
        guard keyover_pipe(&ends) == 0 else { return .notStarted(errorNumber: errno) }
        defer { close(ends[0]) }
        let (child, number) = spawn(output: ends[1])
        close(ends[1])
        guard number == 0 else { return .notStarted(errorNumber: number) }

        var output = OutputTail(descriptor: ends[0], limit: outputLimit)
        let deadline = Deadline(after: timeLimit)
        while !hasEnded(child) {
            if stop.isSet || deadline.isOver {
                end(child, grace: grace, &output)
                return stop.isSet ? .stopped : .timedOut(output: output.bytes)
            }
            output.drain(waiting: 20)
        }
        output.drain(waiting: 0)
        var status: Int32 = 0
        guard waitpid(child, &status, 0) == child else { return .notStarted(errorNumber: ECHILD) }
        let signal = status & 0x7F
        return signal == 0
            ? .exited(status: status >> 8 & 0xFF, output: output.bytes)
            : .killed(signal: signal, output: output.bytes)
    }

    /// Asks the group to end, then makes it; the leader stays a zombie until then, so that the group's id stays its own.
    private func end(_ child: pid_t, grace: TimeSpan, _ output: inout OutputTail) {
        kill(-child, SIGTERM)
        let deadline = Deadline(after: grace)
        // A leader that ends at once may leave members behind that still clean up: the grace is theirs too.
        while !deadline.isOver, !hasEnded(child) || !output.isAtEnd { output.drain(waiting: 20) }
        kill(-child, SIGKILL)
        // Not in uninterruptible sleep, the leader is gone in an instant; else the caller's own limit decides.
        waitpid(child, nil, 0)
    }

    /// Whether the program has ended; it is not reaped yet.
    private func hasEnded(_ child: pid_t) -> Bool {
        var information = siginfo_t()
        let result = waitid(P_PID, id_t(child), &information, Int32(WEXITED | WNOHANG | WNOWAIT))
        return result != 0 && errno == ECHILD || result == 0 && information.si_signo == SIGCHLD
    }

    private func spawn(output: Int32) -> (child: pid_t, errorNumber: Int32) {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        let (none, all) = Self.signalSets()
        var (mask, defaults) = (none, all)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        let steps: [Int32] = [
            input.map { posix_spawn_file_actions_adddup2(&actions, $0, 0) }
                ?? posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0),
            posix_spawn_file_actions_adddup2(&actions, output, 1),
            posix_spawn_file_actions_adddup2(&actions, output, 2),
            keyover_spawn_close_from(&actions, 3),
            keyover_spawn_change_directory(&actions, "/"),
            posix_spawnattr_setflags(&attributes, Int16(flags)),
            posix_spawnattr_setpgroup(&attributes, 0),
            posix_spawnattr_setsigmask(&attributes, &mask),
            posix_spawnattr_setsigdefault(&attributes, &defaults),
        ]
        if let failed = steps.first(where: { $0 != 0 }) { return (0, failed) }
        var child: pid_t = 0
        let number = CStrings.with(arguments) { argv in
            CStrings.with(environment) { envp in posix_spawn(&child, arguments[0], &actions, &attributes, argv, envp) }
        }
        return (child, number)
    }

    private static func signalSets() -> (none: sigset_t, all: sigset_t) {
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        return (none, all)
    }
}

/// Tells blocking work to come to an end.
final class StopSignal: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }

    func set() {
        flag.store(true, ordering: .releasing)
    }
}

/// The last bytes that come out of a pipe.
private struct OutputTail {
    let descriptor: Int32
    let limit: Int
    private(set) var bytes: [UInt8] = []
    private(set) var isAtEnd = false

    init(descriptor: Int32, limit: Int) {
        self.descriptor = descriptor
        self.limit = limit
    }

    /// Takes what is there, and otherwise waits so many milliseconds for more.
    ///
    /// At most 16 buffers are taken at once, so that a program that never stops writing cannot hold the caller.
    mutating func drain(waiting milliseconds: Int32) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var patience = milliseconds
        for _ in 0..<16 {
            if isAtEnd {
                usleep(UInt32(patience) * 1000)
                return
            }
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&request, 1, patience) > 0 else { return }
            let count = read(descriptor, &buffer, buffer.count)
            if count > 0 {
                bytes = Array((bytes + buffer[..<count]).suffix(limit))
            } else if count == 0 || errno != EINTR {
                isAtEnd = true
            }
            patience = 0
        }
    }
}

/// Arrays of C strings, as `exec` wants them.
private enum CStrings {
    static func with<Result>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("the array has a terminator in it") }
            return body(base)
        }
    }
}

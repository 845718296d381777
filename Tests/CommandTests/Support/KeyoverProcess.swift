import CKeyoverProcess
import Dispatch
import FoundationEssentials
import Glibc
import Synchronization

/// One run of a program, as a shell would start it: an environment of its own, bytes to read, everything it says kept.
///
/// A process that is still there when nobody holds it any more is killed.
final class KeyoverProcess: Sendable {
    /// How a program ended.
    enum Ending: Equatable, Sendable {
        case exited(Int32)
        case killed(by: Int32)
    }

    /// How it ended and what it said.
    struct Result: Sendable {
        let ending: Ending
        /// What came on standard output.
        let output: String
        /// What came on standard error.
        let errors: String

        /// The exit code; `nil` for one that was killed.
        var exitCode: Int32? { if case .exited(let code) = ending { code } else { nil } }
    }

    /// How long a program may take that nobody gave another limit.
    static let patience = Duration.seconds(90)

    /// The process id.
    let pid: pid_t
    private let life: Life
    private let output: KeptStream
    private let errors: KeptStream
    private let ending: Task<Ending, Never>

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - program: Its absolute path.
    ///   - environment: All of its environment.
    ///   - input: What it reads; at most 64 KiB, so that it fits into a pipe.
    ///   - directory: Where it starts.
    init(
        _ program: String, _ arguments: [String], environment: [String: String], input: String = "",
        directory: String
    ) throws {
        output = try KeptStream()
        errors = try KeptStream()
        let inputEnd = try Self.pipe(holding: Array(input.utf8))
        defer { close(inputEnd) }
        pid = try Self.spawn(
            [program] + arguments, environment.map { "\($0)=\($1)" }, directory,
            descriptors: [inputEnd, output.descriptor, errors.descriptor])
        let life = Life(pid: pid)
        self.life = life
        ending = Task {
            // A thread of its own, since the wait blocks.
            await withCheckedContinuation { continuation in
                DispatchQueue(label: "process \(life.pid)").async { continuation.resume(returning: life.reap()) }
            }
        }
    }

    deinit {
        life.send(SIGKILL)
    }

    /// Sends a signal; one that has ended hears nothing.
    func send(_ signal: Int32) { life.send(signal) }

    /// What it said on standard error so far.
    var errorsSoFar: String { errors.text }

    /// Whether all of its threads stand still.
    var isStopped: Bool {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
        return !tasks.isEmpty
            && tasks.allSatisfy { task in
                let status = FileManager.default.contents(atPath: "/proc/\(pid)/task/\(task)/stat") ?? Data()
                // The state stands behind the name, which is in parentheses.
                return String(decoding: status, as: UTF8.self).split(separator: ")").last?.hasPrefix(" T") ?? false
            }
    }

    /// Whether it has ended.
    var hasEnded: Bool { life.hasEnded }

    /// Returns when it has ended; one that does not is killed, and that is an error.
    @discardableResult
    func finish(within limit: Duration = patience) async throws -> Result {
        let (life, isOverdue) = (life, Flag())
        let timer = Task {
            try await Task.sleep(for: limit)
            isOverdue.set()
            life.send(SIGKILL)
        }
        let ending = await ending.value
        timer.cancel()
        guard !isOverdue.isSet else {
            throw TestFailure("process \(pid) did not end within \(limit); it said: \(errors.text)\(output.text)")
        }
        return Result(ending: ending, output: output.text, errors: errors.text)
    }
}

extension String {
    /// What a shell's `$(...)` makes of it.
    var withoutLineEnd: String { hasSuffix("\n") ? String(dropLast()) : self }
}

/// The life of a child process: no signal goes to a process id that may belong to another one by now.
private final class Life: Sendable {
    let pid: pid_t
    private let isReaped = Mutex(false)

    init(pid: pid_t) {
        self.pid = pid
    }

    var hasEnded: Bool { isReaped.withLock { $0 } }

    func send(_ signal: Int32) {
        isReaped.withLock { isReaped in
            if !isReaped { kill(pid, signal) }
        }
    }

    /// Blocks until the process has ended.
    func reap() -> KeyoverProcess.Ending {
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, Int32(WEXITED | WNOWAIT)) != 0, errno == EINTR {}
        return isReaped.withLock { isReaped in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            isReaped = true
            let signal = status & 0x7F
            return signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(by: signal)
        }
    }
}

/// What a program says, kept in a file without a name.
private final class KeptStream: Sendable {
    /// More than this is nothing that a test wants to look at.
    private static let limit = 4 << 20

    let descriptor: Int32

    init() throws {
        var path = Array("/tmp/keyover-tests-stream.XXXXXX".utf8CString)
        descriptor = mkstemp(&path)
        guard descriptor >= 0 else { throw TestFailure.last("no temporary file") }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, O_APPEND)
        unlink(path)
    }

    deinit {
        close(descriptor)
    }

    var text: String {
        var status = stat()
        fstat(descriptor, &status)
        var bytes = [UInt8](repeating: 0, count: min(Int(status.st_size), Self.limit))
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}

extension KeyoverProcess {
    /// The reading end of a pipe that holds the bytes and has no writer any more.
    private static func pipe(holding bytes: [UInt8]) throws -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard bytes.count <= 64 << 10, keyover_pipe(&ends) == 0 else { throw TestFailure.last("no pipe") }
        defer { close(ends[1]) }
        guard write(ends[1], bytes, bytes.count) == bytes.count else { throw TestFailure.last("no input") }
        return ends[0]
    }

    private static func spawn(
        _ arguments: [String], _ environment: [String], _ directory: String, descriptors: [Int32]
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        var (mask, defaults) = (sigset_t(), sigset_t())
        sigemptyset(&mask)
        sigfillset(&defaults)
        for (number, descriptor) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
        }
        keyover_spawn_close_from(&actions, Int32(descriptors.count))
        keyover_spawn_change_directory(&actions, directory)
        posix_spawnattr_setsigmask(&attributes, &mask)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var child: pid_t = 0
        let number = posix_spawn(&child, arguments[0], &actions, &attributes, &argv, &envp)
        guard number == 0 else {
            throw TestFailure("\(arguments[0]) cannot be started: \(String(cString: strerror(number)))")
        }
        return child
    }
}

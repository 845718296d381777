import CKeyoverProcess
import Dispatch
import Foundation
import KeyoverConformance
import KeyoverCore
import Synchronization

/// A process that works on a vault; it ends with the test process, however that ends.
final class WorkerProcess: VaultWorker {
    private let pid: pid_t
    /// As long as this end is open the worker stays.
    private let leash: Int32
    private let scratch: Scratch
    private let ending: Task<Int32, Never>
    private let isGone = Mutex(false)

    init(on client: ClientName, times: Int, environment: [String: String]) throws {
        let scratch = try Scratch()
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = URL(filePath: own).deletingLastPathComponent().appending(path: "keyover-vault-worker").path
        var ends: [Int32] = [-1, -1]
        guard keyover_pipe(&ends) == 0 else { throw ConformanceFailure("no pipe for a worker") }
        defer { close(ends[0]) }
        leash = ends[1]
        var outputs: [Int32] = []
        defer { for output in outputs { close(output) } }
        for name in ["out", "err"] {
            outputs.append(open("\(scratch.path)/\(name)", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600))
        }
        let pid = try Self.spawn(
            [program, client.description, String(times)],
            ["PATH": "/usr/bin:/bin", "HOME": scratch.path].merging(environment) { $1 }, [ends[0]] + outputs)
        (self.pid, self.scratch) = (pid, scratch)
        ending = Task {
            // A thread of its own, since the wait blocks.
            await withCheckedContinuation { continuation in
                DispatchQueue(label: "worker \(pid)").async {
                    var information = siginfo_t()
                    while waitid(P_PID, id_t(pid), &information, Int32(WEXITED | WNOWAIT)) != 0, errno == EINTR {}
                    continuation.resume(returning: information._sifields._sigchld.si_status)
                }
            }
        }
    }

    deinit {
        close(leash)
        if !isGone.withLock({ $0 }) {
            Glibc.kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
    }

    var acknowledged: Int {
        (try? FileManager.default.attributesOfItem(atPath: scratch.path + "/out")[.size] as? Int) ?? 0
    }

    func kill() async {
        isGone.withLock { isGone in
            if !isGone { _ = Glibc.kill(pid, SIGKILL) }
        }
        _ = await reaped()
    }

    func finish() async throws {
        let status = await reaped()
        guard status == 0 else {
            let complaint = FileManager.default.contents(atPath: scratch.path + "/err") ?? Data()
            throw ConformanceFailure("a worker ended with \(status): \(String(decoding: complaint, as: UTF8.self))")
        }
    }

    /// The exit code, or the signal that ended it.
    private func reaped() async -> Int32 {
        let status = await ending.value
        isGone.withLock { isGone in
            if !isGone { waitpid(pid, nil, 0) }
            isGone = true
        }
        return status
    }

    private static func spawn(
        _ arguments: [String], _ environment: [String: String], _ descriptors: [Int32]
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, descriptor) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
        }
        keyover_spawn_close_from(&actions, Int32(descriptors.count))
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var child: pid_t = 0
        let number = posix_spawn(&child, arguments[0], &actions, nil, &argv, &envp)
        guard number == 0 else {
            throw ConformanceFailure("\(arguments[0]) cannot be started: \(String(cString: strerror(number)))")
        }
        return child
    }
}

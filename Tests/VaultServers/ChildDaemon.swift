import Foundation
import Synchronization

/// A program that goes on until it is ended, and does not outlive the test process.
final class ChildDaemon: Sendable {
    private let process: Mutex<Process>
    /// The process id.
    let pid: pid_t
    private let watchdog: FolderWatchdog

    init(
        _ program: String, _ arguments: [String], environment: [String: String], input: String? = nil,
        watchdog: FolderWatchdog
    ) throws {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = environment
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardInput = pipe
        try process.run()
        pid = process.processIdentifier
        self.watchdog = watchdog
        self.process = Mutex(process)
        watchdog.watch(pid)
        if let input { try pipe.fileHandleForWriting.write(contentsOf: Data(input.utf8)) }
        try pipe.fileHandleForWriting.close()
    }

    /// Whether it has ended by itself.
    var hasEnded: Bool { process.withLock { !$0.isRunning } }

    /// Sends a signal; one that has ended hears nothing.
    func send(_ signal: Int32) {
        process.withLock { process in
            if process.isRunning { kill(pid, signal) }
        }
    }

    /// Ends it at once, and waits until it has.
    func end() {
        send(SIGKILL)
        while !hasEnded { usleep(1000) }
        watchdog.forget(pid)
    }
}

/// A folder with what servers keep; a small shell ends them and removes it when the test process goes, however it goes.
final class FolderWatchdog: Sendable {
    private static let script = """
        trap "" INT TERM HUP
        cat >/dev/null
        for pid in "$1"/pids/*; do kill -9 "${pid##*/}" 2>/dev/null; done
        rm -rf "$1"
        """
    private let folder: String
    private let process: Mutex<Process>
    private let leash: Pipe

    /// Makes the folder and watches over it.
    init(_ folder: String) throws {
        self.folder = folder
        for path in [folder, folder + "/pids"] {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        }
        leash = Pipe()
        // The shell reads the end of the pipe when the last holder of this end goes: this process, and no child of it.
        _ = fcntl(leash.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", Self.script, "watchdog", folder]
        process.standardInput = leash
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = Mutex(process)
    }

    /// Ends a process, too, when it comes to that.
    func watch(_ pid: pid_t) {
        _ = FileManager.default.createFile(atPath: "\(folder)/pids/\(pid)", contents: nil)
    }

    /// Leaves a process alone that has ended.
    func forget(_ pid: pid_t) {
        try? FileManager.default.removeItem(atPath: "\(folder)/pids/\(pid)")
    }

    /// Removes the folder, and ends what is still watched.
    func end() {
        try? leash.fileHandleForWriting.close()
        while process.withLock({ $0.isRunning }) { usleep(1000) }
    }
}

/// One at a time, in the order of asking.
final class Turn: Sendable {
    private let state = Mutex<(isTaken: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    /// Returns when it is the caller's turn.
    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.isTaken {
                    state.waiting.append(continuation)
                    return false
                }
                state.isTaken = true
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    /// Lets the next one go on.
    func give() {
        let next: CheckedContinuation<Void, Never>? = state.withLock { state in
            if state.waiting.isEmpty {
                state.isTaken = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}

import CKeyoverProcess
import Foundation
import Synchronization

/// A server process that cannot outlive the test process, however that ends: a shell beside it waits for the end of a
/// pipe that only the test process holds.
final class WatchedServer: Sendable {
    private static let script = """
        folder=$1; log=$2; shift 2
        "$@" >>"$log" 2>&1 </dev/null &
        child=$!
        echo "$child"
        read -r order || order=abandoned
        kill -9 "$child" 2>/dev/null
        wait "$child" 2>/dev/null
        [ "$order" = kill ] || rm -rf "$folder"
        """

    private let shell: pid_t
    private let orders: FileHandle
    /// The process id of the server.
    let pid: pid_t
    private let isOver = Mutex(false)

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - folder: What is removed when the test process ends before the server.
    ///   - log: Where the program's output goes.
    init(_ program: [String], folder: String, log: String, environment: [String: String]) throws {
        var (input, output): ([Int32], [Int32]) = ([0, 0], [0, 0])
        guard keyover_pipe(&input) == 0, keyover_pipe(&output) == 0 else {
            throw ServerTrouble("there is no pipe left")
        }
        let started = Self.spawn(
            ["/bin/sh", "-c", Self.script, "watch", folder, log] + program, environment, input: input[0],
            output: output[1])
        close(input[0])
        close(output[1])
        orders = FileHandle(fileDescriptor: input[1], closeOnDealloc: true)
        let answers = FileHandle(fileDescriptor: output[0], closeOnDealloc: true)
        guard let started else { throw ServerTrouble("/bin/sh could not be started") }
        shell = started
        var line: [UInt8] = []
        while let byte = try answers.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") { line.append(byte) }
        guard let pid = pid_t(String(decoding: line, as: UTF8.self)) else {
            throw ServerTrouble("\(program[0]) could not be started")
        }
        self.pid = pid
    }

    /// Starts a program with no signal blocked, as a shell needs that waits for its children: the threads of a Swift program
    /// block nearly all.
    private static func spawn(
        _ arguments: [String], _ environment: [String: String], input: Int32, output: Int32
    ) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        keyover_spawn_close_from(&actions, 3)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        var child: pid_t = 0
        var argv = arguments.map { strdup($0) } + [nil]
        var envp = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        return posix_spawn(&child, arguments[0], &actions, &attributes, &argv, &envp) == 0 ? child : nil
    }

    /// Ends the server as `kill -9` does, and waits until it is gone; what it stored stays.
    func kill() { end("kill") }

    /// Ends the server, and removes its folder.
    func remove() { end("remove") }

    /// Stops the server without ending it.
    func freeze() { Glibc.kill(pid, SIGSTOP) }

    /// Lets it go on.
    func thaw() { Glibc.kill(pid, SIGCONT) }

    private func end(_ order: String) {
        let isFirst = isOver.withLock { isOver in
            defer { isOver = true }
            return !isOver
        }
        guard isFirst else { return }
        try? orders.write(contentsOf: Data("\(order)\n".utf8))
        try? orders.close()
        var status: Int32 = 0
        while waitpid(shell, &status, 0) == -1, errno == EINTR {}
    }
}

/// A server for tests does not do what it should; the tests that need it fail.
public struct ServerTrouble: Error, CustomStringConvertible {
    /// What went wrong.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// A port that nobody listened on a moment ago.
func freePort() throws -> Int {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard socket >= 0 else { throw ServerTrouble("there is no socket left") }
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(socket, $0, size) == 0 && getsockname(socket, $0, &size) == 0
        }
    }
    guard isBound else { throw ServerTrouble("there is no free port") }
    return Int(UInt16(bigEndian: address.sin_port))
}

/// Runs a program to its end.
@discardableResult
func runTool(_ arguments: [String], in folder: String, environment: [String: String]? = nil) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = arguments
    process.currentDirectoryURL = URL(filePath: folder)
    if let environment { process.environment = environment }
    let (output, errors) = (Pipe(), Pipe())
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let said = try output.fileHandleForReading.readToEnd() ?? Data()
    let complained = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw ServerTrouble(
            "\(arguments.prefix(3).joined(separator: " ")) failed: \(String(decoding: complained, as: UTF8.self))")
    }
    return String(decoding: said, as: UTF8.self)
}

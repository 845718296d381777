import Glibc
import KeyoverCore
import Testing

@testable import KeyoverEngine

/// A folder of a test's own, removed with the last reference to it.
final class Folder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/keyover-test-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        path = try #require(made)
    }

    deinit {
        Self.remove(path)
    }

    private static func remove(_ path: String) {
        if let listing = opendir(path) {
            while let entry = readdir(listing) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name == "." || name == ".." { continue }
                var status = stat()
                lstat("\(path)/\(name)", &status)
                if status.st_mode & S_IFMT == S_IFDIR { remove("\(path)/\(name)") } else { unlink("\(path)/\(name)") }
            }
            closedir(listing)
        }
        rmdir(path)
    }

    /// Writes a file; its mode does not depend on the umask.
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o600) throws -> String {
        let file = "\(path)/\(name)"
        unlink(file)
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
        try #require(fchmod(descriptor, mode) == 0)
        return file
    }

    /// Writes an executable shell script.
    func script(_ name: String, _ text: String, mode: mode_t = 0o755) throws -> String {
        try write(name, Array("#!/bin/sh\n\(text)\n".utf8), mode: mode)
    }

    func read(_ name: String) -> [UInt8] { BoundedFile.read("\(path)/\(name)", limit: 8 << 20) ?? [] }

    func text(_ name: String) -> String { String(decoding: read(name), as: UTF8.self) }
}

/// A program of the system, run by a test.
struct RunningProgram {
    let id: pid_t

    init(_ arguments: [String]) throws {
        var child: pid_t = 0
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        try #require(posix_spawn(&child, arguments[0], nil, nil, &pointers, environ) == 0)
        id = child
    }

    func signal(_ number: Int32) { kill(id, number) }

    /// Reaps the program, which has to be about to end.
    func wait() {
        var status: Int32 = 0
        waitpid(id, &status, 0)
    }

    /// Waits until a stopped program is reported as stopped.
    func waitUntilStopped() {
        var status: Int32 = 0
        waitpid(id, &status, WUNTRACED)
    }
}

/// Asks again until the condition holds; a condition that never does fails the test.
func eventually(
    within limit: TimeSpan = .seconds(10), _ what: Comment, location: SourceLocation = #_sourceLocation,
    _ condition: () async -> Bool
) async throws {
    let deadline = Deadline(after: limit)
    while !(await condition()) {
        try #require(!deadline.isOver, what, sourceLocation: location)
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Entries of one client, numbered from one.
struct EntryMaker {
    let record: UUIDv7
    let client: ClientName

    init(_ client: String, _ seed: UInt8 = 1) throws {
        record = try #require(UUIDv7(bytes: [UInt8](repeating: seed, count: 16)))
        self.client = try #require(ClientName(client))
    }

    func entry(_ sequence: UInt64, action: String = "rotation.stage", reason: String? = nil) -> AuditEntry {
        AuditEntry(
            sequence: sequence, time: Timestamp(millisecondsSinceEpoch: 1_800_000_000_000 + Int64(sequence) * 1000),
            record: record, client: client, rotation: nil, action: action, actor: Actor(uid: 0, host: "test"),
            reason: reason, details: ["stage": "verifying"])
    }

    func entries(_ range: ClosedRange<UInt64>) -> [AuditEntry] { range.map { entry($0) } }
}

/// A log in a folder of its own, and what it takes to look at it.
struct LogFixture {
    let folder: Folder
    let host: Name<HostRecord>
    let key: SecretValue

    init() throws {
        folder = try Folder()
        host = try #require(Name("node-1"))
        key = SecretValue(copying: [UInt8](repeating: 7, count: 32))
    }

    var file: String { "state/audit/node-1.jsonl" }
    var path: String { "\(folder.path)/\(file)" }

    func log(timeLimit: TimeSpan = .seconds(10)) -> FileAuditLog {
        FileAuditLog(
            stateDirectory: folder.path + "/state", host: host, key: key, actor: Actor(uid: 0, host: "node-1"),
            timeLimit: timeLimit)
    }

    func verifier(key: SecretValue? = nil, host: Name<HostRecord>? = nil) -> AuditVerifier {
        AuditVerifier(stateDirectory: folder.path + "/state", host: host ?? self.host, key: key ?? self.key)
    }

    func verify() async throws -> AuditVerification { try await verifier().verify() }

    /// The lines of the log with their newlines.
    func lines() -> [[UInt8]] {
        folder.read(file).split(separator: UInt8(ascii: "\n")).map { Array($0) + [UInt8(ascii: "\n")] }
    }

    func replace(_ lines: [[UInt8]]) throws {
        try folder.write(file, Array(lines.joined()))
    }

    func actions() async throws -> [String] {
        var actions: [String] = []
        for try await entry in AuditReader(stateDirectory: folder.path + "/state", host: host).entries() {
            actions.append(entry.action)
        }
        return actions
    }
}

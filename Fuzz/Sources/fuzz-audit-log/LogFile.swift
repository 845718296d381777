import Dispatch
import FuzzSupport
import Glibc
import KeyoverCore
import Synchronization

@testable import KeyoverEngine

/// The log's file, in memory where the system has a folder for that, and its readers, called one after the other.
final class LogFile: Sendable {
    static let shared = LogFile()

    private let folder: String
    private let path: String
    private let reader: AuditReader
    private let verifier: AuditVerifier
    private let location: AuditFile.Location

    private init() {
        var template = Array("\(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp")/keyover-fuzz-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) } != nil }
        require(made, "no folder can be made")
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let host = AuditScenario.host
        require(mkdir(folder + "/audit", 0o700) == 0, "no folder can be made")
        path = "\(folder)/audit/\(host).jsonl"
        reader = AuditReader(stateDirectory: folder, host: host)
        verifier = AuditVerifier(stateDirectory: folder, host: host, key: AuditScenario.key)
        location = AuditFile.Location(stateDirectory: folder, host: host)
        // libFuzzer leaves by exit when its time is up; what a crash leaves is one small file.
        atexit { LogFile.shared.remove() }
    }

    private func remove() {
        unlink(path)
        rmdir(folder + "/audit")
        rmdir(folder)
    }

    func write(_ bytes: [UInt8]) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        let count = Glibc.write(file, bytes, bytes.count)
        require(close(file) == 0 && count == bytes.count, "\(path) cannot be written")
    }

    func bytes() -> [UInt8] { BoundedFile.read(path, limit: 4 << 20) ?? [] }

    func verify() -> AuditVerification {
        must("verify a log", attempt { () throws(AuditError) in try verifier.verifyNow() })
    }

    /// The head by the last line, or `nil` when that is not authentic.
    func head() -> AuditHead? {
        attempt { () throws(AuditError) in
            guard let file = try AuditFile.reading(location) else { return nil }
            return try AuditTail.head(of: file, AuditScenario.chain).head
        } ?? nil
    }

    /// The line of a number, or `nil` when it is not where it should be.
    func line(numbered number: UInt64) -> AuditLine? {
        attempt { () throws(AuditError) in
            guard let file = try AuditFile.reading(location) else { return nil }
            return try AuditTail.line(numbered: number, in: file)
        } ?? nil
    }

    /// Whether the log took the entry, from a process that knows nothing of it yet.
    func append(_ entry: AuditEntry) -> Bool {
        var writer = AuditWriter(location: location, chain: AuditScenario.chain)
        let done: Void? = attempt { () throws(AuditError) in
            try writer.append([entry], before: Deadline(after: .seconds(5))) { line, count in
                .repaired(line: line, cutOff: count, at: AuditScenario.extra.time, by: AuditScenario.extra.actor)
            }
        }
        return done != nil
    }

    /// All entries as people are shown them.
    func entries() -> [AuditEntry] {
        let done = DispatchSemaphore(value: 0)
        let entries = Mutex<[AuditEntry]?>(nil)
        Task { [reader] in
            do throws(AuditError) {
                for try await entry in reader.entries() { entries.withLock { $0 = ($0 ?? []) + [entry] } }
                entries.withLock { $0 = $0 ?? [] }
            } catch {
                entries.withLock { $0 = nil }
            }
            done.signal()
        }
        done.wait()
        return must("read a log", entries.withLock { $0 })
    }

    /// The result; a refusal has to be one that says that the log is broken.
    private func attempt<Result>(_ body: () throws(AuditError) -> Result) -> Result? {
        do throws(AuditError) {
            return try body()
        } catch {
            requireFit(error.message)
            require(error.code == .brokenChain, "refused with \(error.code): \(error.message)")
            return nil
        }
    }
}

import Glibc
import KeyoverCore

/// The audit log of a host as a file: `STATE/audit/HOST.jsonl`, appended under a lock and read by offset.
struct AuditFile: ~Copyable {
    private let file: StateFile

    /// Where the log of a host lies.
    struct Location: Sendable {
        let folder: String
        let name: String

        init(stateDirectory: String, host: Name<HostRecord>) {
            folder = stateDirectory + "/audit"
            name = "\(host).jsonl"
        }

        var path: String { "\(folder)/\(name)" }
    }

    /// Opens the log for appending, makes it when it is missing, and takes its lock before the deadline.
    init(appendingTo location: Location, before deadline: Deadline) throws(AuditError) {
        do {
            let folder = try StateFolder(location.folder, creating: true)
            var pause = TimeSpan.milliseconds(1)
            while true {
                let file = try folder.open(location.name, for: .appending)
                // A log that was moved away while this process waited is not the one to append to.
                if file.tryLock(), folder.holds(file, as: location.name) {
                    self.file = file
                    return
                }
                guard !deadline.isOver else { break }
                usleep(UInt32(min(pause, deadline.remaining).milliseconds) * 1000)
                pause = min(pause * 2, .milliseconds(50))
            }
        } catch {
            throw .unwritable(error)
        }
        throw AuditError(
            .timedOut, "another process keeps \(location.path) locked",
            remedy: "find it with `fuser \(location.path)`, then run the command again", isRetryable: true)
    }

    /// Opens the log for reading; `nil` when there is none.
    static func reading(_ location: Location) throws(AuditError) -> AuditFile? {
        do {
            let folder = try StateFolder(location.folder, creating: false)
            return AuditFile(try folder.open(location.name, for: .reading))
        } catch {
            if error.number == ENOENT { return nil }
            throw .unwritable(error)
        }
    }

    private init(_ file: consuming StateFile) {
        self.file = file
    }

    var path: String { file.path }
    var size: Int64 { file.size }

    /// Which file it is, whatever its name.
    var identity: FileIdentity {
        var status = stat()
        fstat(file.descriptor, &status)
        return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// The bytes of a range of the file, fewer where it ends before.
    func read(_ range: Range<Int64>) throws(AuditError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        var filled = 0
        while filled < bytes.count {
            let (offset, missing) = (range.lowerBound + Int64(filled), bytes.count - filled)
            let count = bytes.withUnsafeMutableBytes { buffer in
                pread(file.descriptor, buffer.baseAddress.map { $0 + filled }, missing, off_t(offset))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unwritable(StateFileError.last("cannot read \(path)")) }
            if count == 0 { break }
            filled += count
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    /// Adds the bytes at the end and waits until they are on disk; a failure leaves the file as it was.
    func append(_ bytes: [UInt8]) throws(AuditError) {
        let before = size
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file.descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let error = AuditError.unwritable(StateFileError.last("cannot write \(path)"))
                ftruncate(file.descriptor, off_t(before))
                throw error
            }
            rest = rest.dropFirst(count)
        }
        guard fsync(file.descriptor) == 0 else {
            let error = AuditError.unwritable(StateFileError.last("cannot write \(path)"))
            ftruncate(file.descriptor, off_t(before))
            throw error
        }
    }

    /// Cuts the file off.
    func truncate(to size: Int64) throws(AuditError) {
        guard ftruncate(file.descriptor, off_t(size)) == 0 else {
            throw .unwritable(StateFileError.last("cannot shorten \(path)"))
        }
    }
}

/// A file, whatever its name.
struct FileIdentity: Equatable, Sendable {
    let device: UInt64
    let inode: UInt64
}

extension AuditError {
    static func unwritable(_ error: StateFileError) -> AuditError {
        AuditError(
            .unwritable, error.message, remedy: error.remedy ?? "mend the file, then run the command again",
            isRetryable: true, underlying: error)
    }
}

import Glibc
public import KeyoverCore

/// The audit logs of all hosts in a state directory, as they go into a backup.
public struct AuditFolder: Sendable {
    private static let pieceCount = 64 << 10
    private static let suffix = ".jsonl"

    private let stateDirectory: String

    /// The logs in a state directory; there may be none.
    public init(stateDirectory: String) {
        self.stateDirectory = stateDirectory
    }

    /// The hosts that have a log here, by name; a folder that is there and cannot be trusted is an error.
    public func hosts() throws(AuditError) -> [Name<HostRecord>] {
        let names: [String]
        do throws(StateFileError) {
            names = try StateFolder(stateDirectory + "/audit", creating: false).names()
        } catch {
            guard error.number == ENOENT else { throw .unwritable(error) }
            return []
        }
        return names.filter { $0.hasSuffix(Self.suffix) }
            .compactMap { Name<HostRecord>(String($0.dropLast(Self.suffix.count))) }.sorted()
    }

    /// Hands over the whole lines that a host's log has at this moment: first how many bytes, then the bytes.
    public func read(
        _ host: Name<HostRecord>, begin: (Int) throws -> Void, piece: ([UInt8]) throws -> Void
    ) throws {
        let location = AuditFile.Location(stateDirectory: stateDirectory, host: host)
        guard let file = try AuditFile.reading(location) else { return }
        let end = try Self.endOfLines(file)
        try begin(Int(end))
        var offset: Int64 = 0
        while offset < end {
            let next = min(offset + Int64(Self.pieceCount), end)
            let bytes = try file.read(offset..<next)
            guard bytes.count == next - offset else {
                throw AuditError(.brokenChain, "\(file.path) became shorter while it was read")
            }
            try piece(bytes)
            offset = next
        }
    }

    /// Behind the last line feed: a line that is just being written does not count.
    private static func endOfLines(_ file: borrowing AuditFile) throws(AuditError) -> Int64 {
        let size = file.size
        let start = max(0, size - Int64(AuditLine.limit) - 1)
        let tail = try file.read(start..<size)
        guard let end = tail.lastIndex(of: 10) else {
            guard start == 0 else { throw .notALog(file.path) }
            return 0
        }
        return start + Int64(end) + 1
    }
}

/// Audit logs on their way out of a backup: written beside the ones that are there, and put in place at the end.
public final class AuditRestoration {
    private let stateDirectory: String
    private var hosts: [Name<HostRecord>] = []
    private var descriptor: Int32 = -1

    /// A restoration into a state directory.
    public init(stateDirectory: String) {
        self.stateDirectory = stateDirectory
    }

    deinit {
        close(descriptor)
        for host in hosts { unlink(path(host) + Self.mark) }
    }

    private static let mark = ".restored"

    /// Begins the log of a host.
    public func begin(_ host: Name<HostRecord>) throws(AuditError) {
        let folder: StateFolder
        do {
            folder = try StateFolder(stateDirectory + "/audit", creating: true)
        } catch {
            throw .unwritable(error)
        }
        let name = "\(host).jsonl" + Self.mark
        unlinkat(folder.descriptor, name, 0)
        try settle()
        descriptor = openat(
            folder.descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw AuditError.unwritable(.last("cannot create \(folder.path)/\(name)")) }
        hosts.append(host)
    }

    /// Adds bytes to the log that began last.
    public func take(_ bytes: UnsafeRawBufferPointer) throws(AuditError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw AuditError.unwritable(.last("cannot write the restored audit log")) }
            rest = rest.dropFirst(count)
        }
    }

    /// Puts the logs in place; the answer names those that are kept aside, since the log that is here tells another story.
    ///
    /// A log that continues the backup's stays; one that the backup's continues gives way to it.
    public func finish() throws(AuditError) -> [String] {
        try settle()
        var aside: [String] = []
        for host in hosts {
            let location = AuditFile.Location(stateDirectory: stateDirectory, host: host)
            // Nobody appends to the log that is here until it is known which one stays.
            let here = try AuditFile(appendingTo: location, before: Deadline(after: .seconds(10)))
            if let kept = try put(host, inPlaceOf: here) { aside.append(kept) }
        }
        hosts = []
        return aside
    }

    private func put(_ host: Name<HostRecord>, inPlaceOf here: borrowing AuditFile) throws(AuditError) -> String? {
        let restored = here.path + Self.mark
        switch Self.compare(here.path, restored) {
        case .continues:
            unlink(restored)
            return nil
        case .isContinued:
            try move(restored, to: here.path)
            return nil
        case .differs:
            var (number, kept) = (1, here.path + ".from-backup")
            while access(kept, F_OK) == 0 {
                number += 1
                kept = "\(here.path).from-backup-\(number)"
            }
            try move(restored, to: kept)
            return kept
        }
    }

    private func path(_ host: Name<HostRecord>) -> String { "\(stateDirectory)/audit/\(host).jsonl" }

    /// Waits until the log that began last is on disk.
    private func settle() throws(AuditError) {
        guard descriptor >= 0 else { return }
        let isDurable = fsync(descriptor) == 0
        let error = AuditError.unwritable(.last("cannot write the restored audit log"))
        close(descriptor)
        descriptor = -1
        guard isDurable else { throw error }
    }

    private func move(_ from: String, to: String) throws(AuditError) {
        guard rename(from, to) == 0 else { throw AuditError.unwritable(.last("cannot put \(to) in place")) }
        let folder = open(stateDirectory + "/audit", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        fsync(folder)
        close(folder)
    }

    private enum Relation {
        case continues
        case isContinued
        case differs
    }

    private static func compare(_ here: String, _ restored: String) -> Relation {
        let (one, other) = (
            open(here, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), open(restored, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        )
        defer {
            close(one)
            close(other)
        }
        if one < 0 { return .isContinued }
        var (left, right) = ([UInt8](repeating: 0, count: 1 << 16), [UInt8](repeating: 0, count: 1 << 16))
        while true {
            let count = Glibc.read(one, &left, left.count)
            let otherCount = Glibc.read(other, &right, right.count)
            guard count >= 0, otherCount >= 0 else { return .differs }
            let common = min(count, otherCount)
            guard left[..<common] == right[..<common] else { return .differs }
            // Plain files give as much as was asked for, except at their ends.
            if count != otherCount || count == 0 { return count >= otherCount ? .continues : .isContinued }
        }
    }
}

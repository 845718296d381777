import Glibc

/// An open folder below the state directory that nobody but its owner may look into.
///
/// Files in it are opened through its descriptor, without following links and without waiting for the other end of a
/// FIFO, and must be plain files that belong to the process's user and to nobody else.
final class StateFolder: Sendable {
    let path: String
    let descriptor: Int32

    /// Opens the folder, and makes it and those above it first when asked to.
    init(_ path: String, creating: Bool) throws(StateFileError) {
        if creating { try Self.make(path) }
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw StateFileError.last("cannot open the folder \(path)") }
        self.path = path
        self.descriptor = descriptor
        _ = try Self.check(descriptor, path, S_IFDIR)
    }

    deinit {
        close(descriptor)
    }

    /// What a file is opened for.
    enum Purpose {
        case reading
        /// Reading what is there and adding to its end; a missing file is made with mode 0600.
        case appending
    }

    /// Opens a file of the folder.
    func open(_ name: String, for purpose: Purpose) throws(StateFileError) -> StateFile {
        let flags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (purpose == .reading ? O_RDONLY : O_RDWR | O_APPEND)
        var descriptor = openat(self.descriptor, name, flags)
        if descriptor < 0, errno == ENOENT, purpose == .appending {
            descriptor = openat(self.descriptor, name, flags | O_CREAT, 0o600)
            // The name must be on disk before the first line in the file can count as durable.
            if descriptor >= 0 { fsync(self.descriptor) }
        }
        guard descriptor >= 0 else { throw StateFileError.last("cannot open \(path)/\(name)") }
        let file = StateFile(descriptor: descriptor, path: "\(path)/\(name)")
        _ = try Self.check(descriptor, file.path, S_IFREG)
        return file
    }

    /// The names of what lies in the folder, in no particular order.
    func names() -> [String] {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { return [] }
        guard let listing = fdopendir(copy) else {
            close(copy)
            return []
        }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Whether the name still leads to the open file, which may have been moved away or removed meanwhile.
    func holds(_ file: borrowing StateFile, as name: String) -> Bool {
        var (opened, named) = (stat(), stat())
        guard fstat(file.descriptor, &opened) == 0,
            fstatat(descriptor, name, &named, AT_SYMLINK_NOFOLLOW) == 0
        else { return false }
        return opened.st_dev == named.st_dev && opened.st_ino == named.st_ino
    }

    private static func make(_ path: String) throws(StateFileError) {
        var prefix = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            prefix += "/" + part
            guard mkdir(prefix, 0o700) == 0 || errno == EEXIST else {
                throw StateFileError.last("cannot make the folder \(prefix)")
            }
        }
    }

    private static func check(_ descriptor: Int32, _ path: String, _ type: mode_t) throws(StateFileError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw StateFileError.last("cannot look at \(path)") }
        guard status.st_mode & S_IFMT == type else {
            throw StateFileError("\(path) is not a plain file", remedy: "move it out of the way")
        }
        guard status.st_uid == geteuid() else {
            throw StateFileError(
                "\(path) belongs to uid \(status.st_uid), and this process runs as \(geteuid())",
                remedy: "run the command as the owner of \(path)")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw StateFileError(
                "\(path) has mode 0\(String(status.st_mode & 0o7777, radix: 8)), so others can get at it",
                remedy: "run `chmod \(type == S_IFDIR ? "700" : "600") \(path)`")
        }
    }
}

/// An open file of the state directory; closing it gives its lock back.
struct StateFile: ~Copyable {
    let descriptor: Int32
    let path: String

    deinit {
        close(descriptor)
    }

    /// The number of bytes in it.
    var size: Int64 {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Takes the exclusive lock unless somebody else holds it.
    func tryLock() -> Bool {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EINTR else { return false }
        }
        return true
    }
}

/// A file or folder of the state directory is not as it has to be.
struct StateFileError: Error {
    let message: String
    let remedy: String?
    /// The error number of the system call, when one failed.
    let number: Int32?

    init(_ message: String, remedy: String? = nil, number: Int32? = nil) {
        self.message = message
        self.remedy = remedy
        self.number = number
    }

    /// The error of the system call that failed last.
    static func last(_ what: String) -> StateFileError {
        let number = errno
        let remedy: String? =
            switch number {
            case ENOSPC, EDQUOT, EFBIG: "make room on the disk and run the command again"
            case EACCES, EPERM: "run the command as the owner of the file"
            case ELOOP: "replace the symbolic link by the file itself"
            case EROFS: "make the file system writable or choose another state directory"
            default: nil
            }
        return StateFileError("\(what): \(String(cString: strerror(number)))", remedy: remedy, number: number)
    }
}

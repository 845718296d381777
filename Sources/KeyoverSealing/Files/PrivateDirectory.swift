import Glibc
public import KeyoverCore

/// An open folder that nobody but its owner may look into; files in it are reached through its descriptor.
public final class PrivateDirectory: Sendable {
    /// The folder's path without links in it, for programs that insist on a path.
    public let path: String
    let descriptor: Int32

    /// Opens a folder; a link in its place, another owner, or what the rule forbids is refused.
    public init(_ path: String, rule: PrivateFile.Rule = .ownerOnly) throws(VaultError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            // Linux says ENOTDIR when O_DIRECTORY meets a link, which would read as if there were nothing.
            var status = stat()
            if errno == ENOTDIR, lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK { errno = ELOOP }
            throw SystemError.last("cannot open the folder \(path)")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, let resolved = realpath(path, nil) else {
            let error = SystemError.last("cannot look at \(path)")
            close(descriptor)
            throw error
        }
        defer { free(resolved) }
        do {
            try PrivateFile.check(status, path, rule)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        self.path = String(cString: resolved)
    }

    deinit {
        close(descriptor)
    }

    /// Opens the folder after making it, and the folders above it, where they are missing.
    public static func make(
        _ path: String, rule: PrivateFile.Rule = .ownerOnly
    ) throws(VaultError) -> PrivateDirectory {
        var prefix = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            prefix += "/" + part
            guard mkdir(prefix, 0o700) == 0 || errno == EEXIST else {
                throw SystemError.last("cannot make the folder \(prefix)")
            }
        }
        return try PrivateDirectory(path, rule: rule)
    }

    /// Refuses the folder if others can get at it by now.
    public func checkItself() throws(VaultError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemError.last("cannot look at \(path)") }
        try PrivateFile.check(status, path, .ownerOnly)
    }

    /// The contents of a file in the folder.
    public func read(_ name: String, limit: Int) throws(VaultError) -> SecretValue {
        try PrivateFile.read(name, in: descriptor, of: path, limit: limit)
    }

    /// Makes a new file in the folder.
    public func create(_ name: String, _ contents: SecretValue) throws(VaultError) {
        try PrivateFile.create(name, in: descriptor, of: path, contents)
    }

    /// Puts a file in the place of the one of that name, if there is one: readers find the old contents or the new.
    ///
    /// Callers exclude each other by a lock: the contents are written to `NAME.new` first, and one that a crash left
    /// behind is overwritten. With `durably`, the new contents are on disk when this returns. With `keepingAccess`, who
    /// may read the old file may read the new one: its group and mode stay; otherwise the mode is 0600.
    public func replace(
        _ name: String, _ contents: SecretValue, durably: Bool = true, keepingAccess: Bool = false
    ) throws(VaultError) {
        let next = name + ".new"
        unlinkat(descriptor, next, 0)
        do throws(VaultError) {
            try PrivateFile.create(next, in: descriptor, of: path, contents, durably: durably)
            if keepingAccess { try copyAccess(from: name, to: next) }
            guard renameat(descriptor, next, descriptor, name) == 0 else {
                throw SystemError.last("cannot replace \(path)/\(name)")
            }
        } catch {
            unlinkat(descriptor, next, 0)
            throw error
        }
        if durably { try synchronize() }
    }

    private func copyAccess(from name: String, to next: String) throws(VaultError) {
        var (old, new) = (stat(), stat())
        guard fstatat(descriptor, name, &old, AT_SYMLINK_NOFOLLOW) == 0,
            fstatat(descriptor, next, &new, AT_SYMLINK_NOFOLLOW) == 0
        else { return }
        let mode = old.st_mode & 0o755
        // The group first: changing it may take mode bits away.
        guard
            old.st_gid == new.st_gid
                || fchownat(descriptor, next, uid_t.max, old.st_gid, AT_SYMLINK_NOFOLLOW) == 0,
            mode == new.st_mode & 0o7777 || fchmodat(descriptor, next, mode, 0) == 0
        else { throw SystemError.last("cannot give \(path)/\(next) the mode of \(name)") }
    }

    /// Removes a file, if there is one.
    public func remove(_ name: String) throws(VaultError) {
        guard unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else {
            throw SystemError.last("cannot remove \(path)/\(name)")
        }
    }

    /// Waits for the folder's lock, which is held until the answer goes; another folder in its place is a conflict.
    public func lock(
        patience: TimeSpan, every pause: TimeSpan = .milliseconds(50)
    ) throws(VaultError) -> FolderLock {
        let lock = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard lock >= 0 else { throw SystemError.last("cannot open \(path)") }
        var rest = patience.milliseconds
        while flock(lock, LOCK_EX | LOCK_NB) != 0 {
            guard rest > 0, errno == EWOULDBLOCK || errno == EINTR else {
                close(lock)
                throw VaultError(
                    .unavailable, "somebody else is changing \(path) just now",
                    remedy: "run the command again when that is done", isRetryable: true)
            }
            usleep(UInt32(clamping: pause.milliseconds * 1000))
            rest -= pause.milliseconds
        }
        let held = FolderLock(lock)
        guard isInPlace else {
            throw VaultError(
                .conflict, "\(path) has been replaced meanwhile", remedy: "run the command again", isRetryable: true)
        }
        return held
    }

    /// Refuses a file that is a link, belongs to somebody else or can be read by others; answers whether it exists.
    ///
    /// It is looked at without being opened: closing any descriptor of a file takes away all locks that the process has
    /// on it, and SQLite's locks are of that kind.
    @discardableResult
    public func check(_ name: String) throws(VaultError) -> Bool {
        var status = stat()
        guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno == ENOENT { return false }
            throw SystemError.last("cannot look at \(path)/\(name)")
        }
        guard status.st_mode & S_IFMT != S_IFLNK else {
            throw SystemError.last("cannot open \(path)/\(name)", ELOOP)
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw PrivateFile.notPlain("\(path)/\(name)") }
        try PrivateFile.check(status, "\(path)/\(name)", .ownerOnly)
        return true
    }

    /// Takes the folder's lock for as long as it is open; `false` when somebody else has it, or the folder is gone.
    ///
    /// The kernel gives the lock back when its holder dies. So who makes a folder and locks it can be told from who died
    /// making one.
    public func tryLock() -> Bool {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EINTR else { return false }
        }
        return isInPlace
    }

    /// Whether the path still leads to the folder, which may have been moved or removed meanwhile.
    private var isInPlace: Bool {
        var (opened, named) = (stat(), stat())
        return fstat(descriptor, &opened) == 0 && lstat(path, &named) == 0 && opened.st_dev == named.st_dev
            && opened.st_ino == named.st_ino
    }

    /// Removes the folder with the files in it, unless it was moved; folders in it are left, and it with them.
    public func removeAll() {
        guard isInPlace else { return }
        for name in FolderNames.all(in: descriptor) ?? [] { unlinkat(descriptor, name, 0) }
        rmdir(path)
    }

    /// Waits until the folder's entries are on disk.
    public func synchronize() throws(VaultError) {
        guard fsync(descriptor) == 0 else { throw SystemError.last("cannot write \(path)") }
    }
}

/// A lock on a folder, given back when the last reference goes or the process ends.
public final class FolderLock: Sendable {
    private let descriptor: Int32

    fileprivate init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }
}

public import Glibc
public import KeyoverCore

/// Files that nobody but their owner may read or change: opened without following links, checked on the open descriptor.
public enum PrivateFile {
    /// What the owner and the mode of a file must be.
    public enum Rule: Sendable {
        /// Owned by the effective user, and no access for group and others.
        case ownerOnly
        /// Owned by the effective user, who alone may change it; others may look.
        case ownerWrites
        /// As systemd makes credentials: owned by the effective user or root; the group may read, nobody else.
        case serviceCredential
    }

    /// The contents of a file of at most so many bytes, held in secret memory.
    public static func read(
        _ name: String, in directory: Int32 = AT_FDCWD, of folder: String = "", limit: Int, rule: Rule = .ownerOnly
    ) throws(VaultError) -> SecretValue {
        let path = folder.isEmpty ? name : "\(folder)/\(name)"
        // O_NONBLOCK keeps a FIFO in place of the file from hanging the process; fstat then refuses it.
        let descriptor = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw SystemError.last("cannot open \(path)") }
        defer { close(descriptor) }
        let size = try check(descriptor, path, rule)
        guard size <= limit else { throw VaultError(.tooLarge, "\(path) is larger than \(limit) bytes") }
        var failure: VaultError?
        let value = SecretValue(count: size) { buffer in
            var filled = 0
            while filled < size {
                let count = Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, size - filled)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    failure = count < 0 ? SystemError.last("cannot read \(path)") : nil
                    break
                }
                filled += count
            }
            if filled < size, failure == nil {
                failure = VaultError(.unavailable, "\(path) changed while it was read", isRetryable: true)
            }
        }
        if let failure { throw failure }
        return value
    }

    /// Makes a new file with mode 0600 and, with `durably`, waits until its contents are on disk.
    public static func create(
        _ name: String, in directory: Int32 = AT_FDCWD, of folder: String = "", _ contents: SecretValue,
        durably: Bool = true
    ) throws(VaultError) {
        let path = folder.isEmpty ? name : "\(folder)/\(name)"
        let descriptor = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            if errno == EEXIST {
                throw VaultError(
                    .exists, "\(path) exists already", remedy: "choose another place; nothing is overwritten")
            }
            throw SystemError.last("cannot create \(path)")
        }
        defer { close(descriptor) }
        try write(contents, to: descriptor, path)
        guard !durably || fsync(descriptor) == 0 else { throw SystemError.last("cannot write \(path)") }
    }

    /// Refuses an open file that is not a plain one of the right owner and mode; answers its size.
    @discardableResult
    public static func check(_ descriptor: Int32, _ path: String, _ rule: Rule = .ownerOnly) throws(VaultError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemError.last("cannot look at \(path)") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw notPlain(path)
        }
        try check(status, path, rule)
        return Int(status.st_size)
    }

    static func notPlain(_ path: String) -> VaultError {
        VaultError(.looseFilePermissions, "\(path) is not a plain file", remedy: "name a plain file")
    }

    static func check(_ status: stat, _ path: String, _ rule: Rule) throws(VaultError) {
        let (isOwner, isRoot) = (status.st_uid == geteuid(), status.st_uid == 0)
        guard isOwner || (isRoot && rule == .serviceCredential) else {
            throw VaultError(
                .looseFilePermissions, "\(path) belongs to uid \(status.st_uid), and this process runs as \(geteuid())",
                remedy: "run the command as the owner of \(path)")
        }
        let mode = status.st_mode & 0o7777
        let forbidden: mode_t =
            switch rule {
            case .ownerOnly: 0o077
            case .ownerWrites: 0o022
            case .serviceCredential: 0o037
            }
        guard mode & forbidden == 0 else {
            let isDirectory = status.st_mode & S_IFMT == S_IFDIR
            throw VaultError(
                .looseFilePermissions, "\(path) has mode 0\(String(mode, radix: 8)), so others can get at it",
                remedy: "run chmod \(isDirectory ? "700" : "600") \(path)")
        }
    }

    static func write(_ contents: SecretValue, to descriptor: Int32, _ path: String) throws(VaultError) {
        try contents.withUnsafeSecretBytes { raw throws(VaultError) in
            var written = 0
            while written < raw.count {
                let count = Glibc.write(descriptor, raw.baseAddress.map { $0 + written }, raw.count - written)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw SystemError.last("cannot write \(path)") }
                written += count
            }
        }
    }
}

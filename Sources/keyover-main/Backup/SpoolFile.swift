import Glibc
import KeyoverCore

/// A file without a name, mode 0600, that is gone when the process is, unless it is given a name.
///
/// Where the file system knows no such thing, the file bears a hidden name until then.
final class SpoolFile: Sendable {
    let descriptor: Int32
    private let folder: String
    private let hidden: String?

    /// `O_TMPFILE`, which Swift's Glibc module does not show.
    private static let nameless = 0o20_000_000 | O_DIRECTORY

    /// A file in a folder, which is where it can be given a name.
    init(in folder: String) throws(ConfigurationError) {
        self.folder = folder
        let file = open(folder, Self.nameless | O_RDWR | O_CLOEXEC, 0o600)
        if file >= 0 {
            (descriptor, hidden) = (file, nil)
            return
        }
        guard errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL else { throw Self.failed("write into", folder) }
        let word = Hex.encode((0..<8).map { _ in UInt8.random(in: .min ... .max) })
        let path = "\(folder)/.keyover-\(word).new"
        let named = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard named >= 0 else { throw Self.failed("write into", folder) }
        (descriptor, hidden) = (named, path)
    }

    deinit {
        close(descriptor)
        if let hidden { unlink(hidden) }
    }

    /// Adds bytes, unless the task was cancelled.
    func write(_ bytes: UnsafeRawBufferPointer) throws {
        try Task.checkCancellation()
        try append(bytes)
    }

    /// Adds bytes.
    func append(_ bytes: UnsafeRawBufferPointer) throws(ConfigurationError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failed("write into", folder) }
            rest = rest.dropFirst(count)
        }
    }

    /// Lets the file appear under a name in its folder, durably; a file that is there already stays as it is.
    func publish(as path: String) throws(ConfigurationError) {
        guard fsync(descriptor) == 0 else { throw Self.failed("write", path) }
        let source = hidden ?? "/proc/self/fd/\(descriptor)"
        guard linkat(AT_FDCWD, source, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 else {
            throw Self.failed("write", path)
        }
        FileSystem.synchronizeDirectory(folder)
    }

    private static func failed(_ verb: String, _ path: String) -> ConfigurationError {
        let number = errno
        let remedy =
            switch number {
            case EEXIST: "choose another name; nothing is overwritten"
            case ENOSPC, EDQUOT, EFBIG: "make room on the disk and run the command again"
            default: "check that the folder exists and who may write there"
            }
        return ConfigurationError(
            .unwritable, "cannot \(verb) \(path): \(String(cString: strerror(number)))", remedy: remedy)
    }
}

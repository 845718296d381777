import Glibc
import KeyoverCore

/// Whether a program can have been put in its place only by root or by the user that runs it.
enum TrustedProgram {
    /// Refuses a path with a link in it, and a file or folder on it that others can change.
    ///
    /// The folders are walked from the root on: once one is trusted, nobody else can swap what lies in it, so there is
    /// no race between the check and the start.
    static func check(_ path: String) throws(DeliveryError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard path.hasPrefix("/"), !path.utf8.contains(0), parts.allSatisfy({ !["", ".", ".."].contains($0) }) else {
            throw DeliveryError("\(path) is not an absolute path without empty parts and dots")
        }
        try checkFolder("/")
        var prefix = ""
        for part in parts.dropLast() {
            prefix += "/" + part
            try checkFolder(prefix)
        }
        let status = try look(at: path)
        guard status.st_mode & S_IFMT == S_IFREG else { throw DeliveryError("\(path) is not a plain file") }
        guard isTrusted(status.st_uid), status.st_mode & 0o022 == 0 else {
            throw DeliveryError("\(path) can be changed by others: run `chown root \(path)` and `chmod 755 \(path)`")
        }
        guard access(path, X_OK) == 0 else {
            throw DeliveryError("\(path) is not executable: run `chmod +x \(path)`")
        }
    }

    private static func checkFolder(_ path: String) throws(DeliveryError) {
        let status = try look(at: path)
        guard status.st_mode & S_IFMT == S_IFDIR else { throw DeliveryError("\(path) is not a folder") }
        // In a sticky folder of root's, such as /tmp, only the owner of an entry can replace it.
        let isShared = status.st_mode & S_ISVTX != 0 && status.st_uid == 0
        guard isTrusted(status.st_uid), status.st_mode & 0o022 == 0 || isShared else {
            throw DeliveryError("the folder \(path) can be changed by others, and with it the program in it")
        }
    }

    private static func look(at path: String) throws(DeliveryError) -> stat {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            throw DeliveryError("cannot look at \(path): \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & S_IFMT != S_IFLNK else {
            throw DeliveryError("\(path) is a symbolic link: name the path that `realpath` prints")
        }
        return status
    }

    private static func isTrusted(_ uid: uid_t) -> Bool { uid == 0 || uid == geteuid() }
}

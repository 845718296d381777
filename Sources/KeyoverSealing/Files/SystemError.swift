import Glibc
import KeyoverCore

/// Turns `errno` into the error of a boundary.
enum SystemError {
    /// The error of the system call that failed last, as an error of the vault.
    static func last(_ what: String, _ number: Int32 = errno) -> VaultError {
        let reason = String(cString: strerror(number))
        switch number {
        case ENOSPC, EDQUOT, EFBIG:
            return VaultError(
                .full, "\(what): \(reason)", remedy: "make room on the disk and run the command again",
                isRetryable: true)
        case ENOENT, ENOTDIR:
            return VaultError(
                .missing, "\(what): \(reason)",
                remedy: "check the path, and who runs this; a lost identity has a copy or another: --identity FILE, "
                    + "a lost vault comes back with keyover vault restore FILE")
        case ELOOP:
            return VaultError(
                .looseFilePermissions, "\(what): it is a symbolic link", remedy: "name the file itself, not a link")
        case EACCES, EPERM:
            return VaultError(.unavailable, "\(what): \(reason)", remedy: "run the command as the owner of the file")
        default:
            return VaultError(
                .unavailable, "\(what): \(reason)", remedy: "check the disk and run the command again",
                isRetryable: number == EAGAIN || number == EINTR)
        }
    }
}

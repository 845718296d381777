import Glibc
import KeyoverCore
import KeyoverSealing

/// What makes reading, comparing and writing one step, since the Secret Service has no such call.
///
/// All processes of a user that reach a keyring have to meet at one lock, whatever their environment says: a job that
/// cron starts has no `XDG_RUNTIME_DIR`, a service may have another `XDG_DATA_HOME` or `HOME`, and each host's state
/// folder can be set. So the place is made of the user's number alone: below `/run/user` where there is a session, and
/// in shared memory where there is none, as in a container. Both are this machine's own and empty after a start, as
/// locks should be. The kernel gives a lock back when its holder dies.
enum KeyringLock {
    /// How many locks there are: enough that two vaults seldom share one, and no file is left behind for each vault.
    private static let count: UInt32 = 64

    /// Waits for the lock of a vault, which is held until the answer goes.
    static func take(_ vault: String, patience: TimeSpan) throws(VaultError) -> FolderLock {
        let number = vault.utf8.reduce(UInt32(0)) { $0 &* 31 &+ UInt32($1) } % count
        let root = root(of: geteuid())
        // Who can rename a folder can exchange it: the one above has to be private, too.
        _ = try PrivateDirectory.make(root)
        return try PrivateDirectory.make("\(root)/\(number)").lock(patience: patience, every: .milliseconds(4))
    }

    private static func root(of user: uid_t) -> String {
        var status = stat()
        let session = "/run/user/\(user)"
        let isPrivate =
            lstat(session, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR && status.st_uid == user
            && status.st_mode & 0o077 == 0
        return isPrivate ? "\(session)/keyover-keyring-locks" : "/dev/shm/keyover-keyring-locks-\(user)"
    }
}

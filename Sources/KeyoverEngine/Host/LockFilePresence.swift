import Glibc
public import KeyoverCore
import Synchronization

/// Announces runners by locked files `STATE/runners/NONCE`.
///
/// The kernel gives a lock back when its holder dies, however it dies, and not while the holder is merely stopped. So a
/// file that is there and can be locked proves, within one boot, that its runner is gone. The file stays where it is, so
/// that the proof can be repeated, and is swept away days later. A file system that loses locks (some network ones)
/// must not hold the state directory.
public final class LockFilePresence: RunnerPresence {
    /// Files older than this are swept away when no one holds them; no claim lives nearly as long.
    private static let staleAfter = TimeSpan.days(7)

    private let path: String
    private let clock: any EngineClock
    private let held: Mutex<[String: Holding]> = Mutex([:])

    private final class Holding: Sendable {
        let file: StateFile

        init(_ file: consuming StateFile) {
            self.file = file
        }
    }

    /// Presence among the processes that share a state directory on this host.
    public init(stateDirectory: String, clock: any EngineClock = SystemClock()) {
        path = stateDirectory + "/runners"
        self.clock = clock
    }

    /// Locks the file of the nonce for as long as this process lives.
    ///
    /// When it cannot be made, the runner simply is not announced: its claim, should it die, then has to run out.
    public func announce(_ nonce: String) {
        guard Self.isValid(nonce), let folder = try? StateFolder(path, creating: true) else { return }
        sweep(folder)
        held.withLock { held in
            guard held[nonce] == nil, let file = try? folder.open(nonce, for: .appending), file.tryLock() else {
                return
            }
            guard folder.holds(file, as: nonce) else { return }
            held[nonce] = Holding(file)
        }
    }

    /// Removes the file of the nonce and gives its lock back.
    public func withdraw(_ nonce: String) {
        guard let holding = held.withLock({ $0.removeValue(forKey: nonce) }) else { return }
        if let folder = try? StateFolder(path, creating: false), folder.holds(holding.file, as: nonce) {
            unlinkat(folder.descriptor, nonce, 0)
        }
    }

    /// Whether the claim was announced in this boot and its file's lock is free.
    public func isProvenDead(_ claim: Claim) -> Bool {
        guard Self.isValid(claim.nonce), claim.at.bootID == clock.now().bootID,
            let folder = try? StateFolder(path, creating: false),
            let file = try? folder.open(claim.nonce, for: .reading)
        else { return false }
        return file.tryLock()
    }

    private func sweep(_ folder: StateFolder) {
        let now = clock.now().wall
        for name in folder.names() {
            guard Self.isValid(name), let file = try? folder.open(name, for: .reading) else { continue }
            var status = stat()
            guard fstat(file.descriptor, &status) == 0 else { continue }
            let made = Timestamp(millisecondsSinceEpoch: Int64(status.st_mtim.tv_sec) * 1000)
            if now - made > Self.staleAfter, file.tryLock() { unlinkat(folder.descriptor, name, 0) }
        }
    }

    private static func isValid(_ nonce: String) -> Bool {
        (1...128).contains(nonce.utf8.count)
            && nonce.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }
}

import Glibc
import KeyoverCore

/// Ids for new vaults.
enum FreshID {
    /// An id with the time in it.
    static func make() -> UUIDv7 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var generator = SystemRandomNumberGenerator()
        let milliseconds = Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
        return UUIDv7(at: Timestamp(millisecondsSinceEpoch: milliseconds), using: &generator)
    }
}

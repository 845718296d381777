import Glibc
import KeyoverCore

/// The clocks of this host, for what is compared with other processes of the same boot.
enum BootClock {
    /// The kernel's id of this boot; a word of this process alone where the kernel tells none.
    private static let bootID: String = {
        let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &buffer, buffer.count)
        let word = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).filter { !$0.isWhitespace }
        return UUIDv7(word)?.description ?? "process-\(FreshID.make())"
    }()

    /// A reading of both clocks.
    static func now() -> ClockReading {
        ClockReading(
            wall: Timestamp(millisecondsSinceEpoch: milliseconds(CLOCK_REALTIME)),
            sinceBoot: .milliseconds(milliseconds(CLOCK_BOOTTIME)), bootID: bootID)
    }

    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

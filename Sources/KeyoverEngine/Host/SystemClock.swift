import Glibc
public import KeyoverCore

/// The clocks of this host, read from the kernel.
public struct SystemClock: EngineClock {
    /// The longest stretch slept at once, so that a suspended host does not oversleep by much.
    private static let longestNap = TimeSpan.seconds(15)

    /// The boot id, which cannot change while a process lives.
    ///
    /// Where the kernel tells none (a `/proc` that is hidden), a random word stands in: readings of this process can
    /// then be compared with one another, and those of other processes count as from another boot, that is by the wall
    /// clock, and never as proof that a runner is dead.
    private static let bootID: String = {
        let text = BoundedFile.read("/proc/sys/kernel/random/boot_id", limit: 64)
        let word = text.map { String(decoding: $0, as: UTF8.self).filter { !$0.isWhitespace } }
        if let word, let id = UUIDv7(word) { return id.description }
        return "process-" + Hex.encode(SystemRandomness().bytes(16))
    }()

    /// The clocks of this host.
    public init() {}

    /// A reading of both clocks.
    public func now() -> ClockReading {
        ClockReading(
            wall: Timestamp(millisecondsSinceEpoch: Self.milliseconds(CLOCK_REALTIME)),
            sinceBoot: .milliseconds(Self.milliseconds(CLOCK_BOOTTIME)), bootID: Self.bootID)
    }

    /// Returns after the span by the boot clock, or throws `CancellationError`.
    public func sleep(for span: TimeSpan) async throws {
        let end = TimeSpan.milliseconds(Self.milliseconds(CLOCK_BOOTTIME)) + span
        while true {
            try Task.checkCancellation()
            let missing = end - .milliseconds(Self.milliseconds(CLOCK_BOOTTIME))
            guard missing > .zero else { return }
            try await Task.sleep(for: min(missing, Self.longestNap).duration, clock: .continuous)
        }
    }

    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

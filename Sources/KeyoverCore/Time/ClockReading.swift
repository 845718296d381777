/// One look at both clocks of a host: the wall clock, which may jump, and the time since boot, which may not.
///
/// Waits and deadlines outlive processes, so a reading is stored in the record and compared with a later one. Within
/// one boot of one host the boot clock decides, whatever the wall clock did meanwhile. Across boots or hosts only the
/// wall clocks are left to compare.
public struct ClockReading: Codable, Hashable, Sendable {
    /// Wall-clock time.
    public var wall: Timestamp
    /// Time since boot, suspension counted (`CLOCK_BOOTTIME`).
    public var sinceBoot: TimeSpan
    /// The kernel's random id of this boot (`/proc/sys/kernel/random/boot_id`), the same on no other host.
    public var bootID: String

    /// A reading of both clocks.
    public init(wall: Timestamp, sinceBoot: TimeSpan, bootID: String) {
        self.wall = wall
        self.sinceBoot = sinceBoot
        self.bootID = bootID
    }

    /// How far the wall clocks of two hosts, or of two boots of one host, are allowed to be apart.
    public static let hostSkew = TimeSpan.minutes(1)

    /// The time that has surely passed since an earlier reading: what a minimum wait may count.
    ///
    /// A wall clock that jumps forward within one boot does not shorten a wait, and one that is ahead of the clock of
    /// another host by no more than ``hostSkew`` does not either.
    public func elapsedAtLeast(since earlier: ClockReading) -> TimeSpan {
        guard bootID != earlier.bootID else { return max(.zero, sinceBoot - earlier.sinceBoot) }
        return max(.zero, wall - earlier.wall - Self.hostSkew)
    }

    /// The most time that may have passed since an earlier reading: what a deadline must count.
    ///
    /// A wall clock that jumps backward within one boot does not lengthen a deadline, and one that is behind the clock
    /// of another host by no more than ``hostSkew`` does not either.
    public func elapsedAtMost(since earlier: ClockReading) -> TimeSpan {
        let byWall = max(.zero, wall - earlier.wall)
        return bootID == earlier.bootID ? max(byWall, sinceBoot - earlier.sinceBoot) : byWall + Self.hostSkew
    }

    /// The time still missing until a span has surely passed since this reading was taken; zero when it has.
    public func remaining(of span: TimeSpan, at now: ClockReading) -> TimeSpan {
        max(.zero, span - now.elapsedAtLeast(since: self))
    }
}

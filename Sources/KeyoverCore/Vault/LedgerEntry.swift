/// What one consumer of one client reported last: which generation it uses, and until when it counts as live.
public struct LedgerEntry: Codable, Equatable, Sendable {
    /// The consumer's name.
    public var consumer: ConsumerName
    /// The highest generation that it acknowledged.
    public var generation: UInt64
    /// When it last reported.
    public var seen: ClockReading
    /// How long after `seen` it counts as live.
    public var lease: TimeSpan
    /// The generation that it reported as rejected by the provider, if any.
    public var rejected: UInt64?

    /// A consumer's report.
    public init(
        consumer: ConsumerName, generation: UInt64, seen: ClockReading, lease: TimeSpan, rejected: UInt64? = nil
    ) {
        self.consumer = consumer
        self.generation = generation
        self.seen = seen
        self.lease = lease
        self.rejected = rejected
    }

    /// Two reports of one consumer as one: the higher generation wins, of equal ones the later lease.
    ///
    /// Merging is commutative, associative and idempotent, so that reports may arrive in any order and twice.
    public func merged(with other: LedgerEntry) -> LedgerEntry {
        func newer(_ left: LedgerEntry, _ right: LedgerEntry) -> Bool {
            if left.generation != right.generation { return left.generation > right.generation }
            return left.seen.wall + left.lease > right.seen.wall + right.lease
        }
        var result = newer(other, self) ? other : self
        result.rejected = [rejected, other.rejected].compactMap(\.self).max()
        return result
    }

    /// Whether the consumer's lease still runs; when in doubt it does.
    public func isLive(at now: ClockReading) -> Bool {
        now.elapsedAtLeast(since: seen) <= lease
    }
}

public import KeyoverCore

/// What checking an audit log showed.
public struct AuditVerification: Equatable, Sendable {
    /// The head behind the last line that is as it was written.
    public internal(set) var head = AuditHead.empty
    /// The first thing that is wrong, or `nil` when the log is whole; nothing behind it was checked.
    public internal(set) var firstFault: Fault?
    /// The length of a line without its end, as a crash or an append under way leaves it; the next append mends it.
    public internal(set) var unfinishedBytes = 0
    /// The clients whose entries are not numbered without gap, by record id.
    ///
    /// On this host alone that is no fault: other hosts write the missing entries to their logs.
    public internal(set) var discontinuities: [Continuity] = []

    /// How many lines are as they were written.
    public var count: UInt64 { head.count }
    /// Whether nothing is wrong.
    public var isWhole: Bool { firstFault == nil }

    /// Something that is wrong with a log.
    public struct Fault: Equatable, Sendable {
        /// The kind of fault, a stable word.
        public enum Kind: String, Sendable {
            /// The line is not laid out as lines are.
            case malformed
            /// The line is longer than any that is written.
            case tooLong
            /// Lines are missing, repeated or in another order.
            case outOfOrder
            /// The line, or its place, was changed, or the key is another vault's.
            case notAuthentic
            /// The line holds no entry that can be read.
            case unreadableEntry
            /// The log ends before a line that is known to have been there.
            case cutShort
            /// The line is authentic but not the one that is known to have been there.
            case replaced
        }

        /// The kind of fault.
        public let kind: Kind
        /// The number of the line, counted from one.
        public let line: UInt64
        /// What is wrong, for people.
        public let description: String
    }

    /// How the entries of one client are numbered.
    public struct Continuity: Equatable, Sendable {
        /// The client's record id.
        public let record: UUIDv7
        /// The client's name in its newest entry.
        public internal(set) var client: ClientName
        /// The highest number seen.
        public internal(set) var highest: UInt64
        /// The first few ranges of numbers that are missing.
        public internal(set) var missing: [ClosedRange<UInt64>] = []
        /// How many numbers are missing in all.
        public internal(set) var missingCount: UInt64 = 0
        /// How many entries bear a number that was there before, or a lower one.
        public internal(set) var repeatedCount: UInt64 = 0

        static let rangesKept = 16

        init(record: UUIDv7, client: ClientName) {
            self.record = record
            self.client = client
            highest = 0
        }

        var isContinuous: Bool { missingCount == 0 && repeatedCount == 0 }

        mutating func add(_ subject: AuditSubject) {
            let sequence = subject.sequence
            client = subject.client
            guard sequence > highest else {
                repeatedCount += 1
                return
            }
            if sequence > highest + 1 {
                missingCount += sequence - highest - 1
                if missing.count < Self.rangesKept { missing.append(highest + 1...sequence - 1) }
            }
            highest = sequence
        }
    }
}

public import KeyoverCore
import Synchronization

/// The audit log of one host: JSON lines in `STATE/audit/HOST.jsonl`, chained by a key that only the vault can derive.
///
/// Appending takes the file's lock, adds whole lines, and returns once they are on disk. A line that a crash left
/// unfinished is cut off by the next append, which says so in an entry `audit.repaired`; a complete line that is not
/// what it was when written is never repaired, and nothing is added behind it. Any number of processes may append.
public final class FileAuditLog: AuditSink {
    /// The file.
    public let path: String
    /// The host whose log it is.
    public let host: Name<HostRecord>

    private let location: AuditFile.Location
    private let chain: AuditChain
    private let actor: Actor
    private let clock: any EngineClock
    private let timeLimit: TimeSpan
    private let lane: BlockingLane
    private let writer: Mutex<AuditWriter>

    /// The log of a host in a state directory; the file is made by the first append.
    ///
    /// - Parameters:
    ///   - key: What the vault derives for ``KeyPurpose/audit``.
    ///   - actor: Who is named when a repair is noted.
    ///   - timeLimit: How long an append may take before it fails with `.timedOut`.
    public init(
        stateDirectory: String, host: Name<HostRecord>, key: SecretValue, actor: Actor,
        clock: any EngineClock = SystemClock(), timeLimit: TimeSpan = .seconds(10)
    ) {
        self.host = host
        self.actor = actor
        self.clock = clock
        self.timeLimit = timeLimit
        location = AuditFile.Location(stateDirectory: stateDirectory, host: host)
        chain = AuditChain(key: key, host: host)
        path = location.path
        lane = BlockingLane("audit")
        writer = Mutex(AuditWriter(location: location, chain: chain))
    }

    /// Makes the entries durable, in order, once each.
    public func append(_ entries: [AuditEntry]) async throws(AuditError) {
        guard !entries.isEmpty else { return }
        try await bounded { [self] deadline in
            writer.withLock { writer in
                Result { () throws(AuditError) in
                    try writer.append(entries, before: deadline) { line, byteCount in
                        .repaired(line: line, cutOff: byteCount, at: clock.now().wall, by: actor)
                    }
                }
            }
        }
    }

    /// The head of the log as it is now; a line that is just being written does not count.
    public func head() async throws(AuditError) -> AuditHead {
        try await bounded { [location, chain] _ in
            Result { () throws(AuditError) in
                guard let file = try AuditFile.reading(location) else { return .empty }
                return try AuditTail.head(of: file, chain).head
            }
        }
    }

    /// Whether the log still holds the line that was its head once.
    public func contains(_ head: AuditHead) async throws(AuditError) -> Bool {
        if head == .empty { return true }
        return try await bounded { [location, chain] _ in
            Result { () throws(AuditError) in
                guard let file = try AuditFile.reading(location),
                    let line = try AuditTail.line(numbered: head.count, in: file)
                else { return false }
                return line.head == head && chain.isAuthentic(line)
            }
        }
    }

    private func bounded<Value: Sendable>(
        _ work: @escaping @Sendable (Deadline) -> Result<Value, AuditError>
    ) async throws(AuditError) -> Value {
        // The lock is given up a little earlier, so that the error can tell what was in the way.
        let margin = TimeSpan(milliseconds: timeLimit.milliseconds / 10)
        let result = await lane.run(within: timeLimit) { [timeLimit] deadline in
            deadline.isOver ? nil : work(Deadline(after: min(deadline.remaining, timeLimit) - margin))
        }
        guard let result, let result else {
            throw AuditError(
                .timedOut, "\(path) did not answer within \(timeLimit)",
                remedy: "check the disk that holds it, then run the command again", isRetryable: true)
        }
        return try result.get()
    }
}

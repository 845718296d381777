public import KeyoverCore

/// Notes the head of the host's audit log in the vault and in the journal, so that a log cut short is noticed.
///
/// Called at the end of a command that changed something. The vault's mark only ever moves forward along the chain that
/// it is on: a log that is shorter than the mark, or holds another line in its place, is an error and leaves the mark.
public struct HostMark: Sendable {
    private static let attempts = 8

    private let vault: any Vault
    private let log: FileAuditLog
    private let clock: any EngineClock
    private let randomness: any Randomness
    private let journal: String

    /// The mark of the log's host in a vault.
    public init(
        vault: any Vault, log: FileAuditLog, clock: any EngineClock = SystemClock(),
        randomness: any Randomness = SystemRandomness()
    ) {
        self.init(vault: vault, log: log, clock: clock, randomness: randomness, journal: JournalSocket.path)
    }

    init(
        vault: any Vault, log: FileAuditLog, clock: any EngineClock, randomness: any Randomness, journal: String
    ) {
        self.vault = vault
        self.log = log
        self.clock = clock
        self.randomness = randomness
        self.journal = journal
    }

    /// Moves the mark to the head of the log and tells the journal.
    ///
    /// - Parameter startingAnew: Gives up a mark that the log does not bear out, which an admin has to ask for.
    /// - Returns: The head that is now noted.
    /// - Throws: `AuditError` with `.brokenChain` when the log is not a continuation of what was noted; `VaultError`.
    @discardableResult
    public func update(startingAnew: Bool = false) async throws -> AuditHead {
        for _ in 1...Self.attempts {
            let found = try await vault.read(log.host)
            // Read behind the mark, the log can only be longer than the mark says.
            let head = try await log.head()
            if let found, !startingAnew { try await check(found.record, head) }
            do {
                guard try await note(head, found) else { return head }
                tellJournal(head)
                return head
            } catch {
                guard error.code == .conflict else { throw error }
            }
        }
        throw VaultError(
            .conflict, "the mark of \(log.host) is changed by others all the time",
            remedy: "run the command again", isRetryable: true)
    }

    /// Stores the head; answers whether there was anything to store.
    private func note(_ head: AuditHead, _ found: Versioned<HostRecord>?) async throws(VaultError) -> Bool {
        guard var record = found?.record else {
            guard head != .empty else { return false }
            var generator = RandomGenerator(source: randomness)
            let id = UUIDv7(at: clock.now().wall, using: &generator)
            let record = HostRecord(id: id, name: log.host, auditCount: head.count, auditHead: head.mac)
            _ = try await vault.write(record, expecting: nil)
            return true
        }
        guard head.count != record.auditCount || head.mac != record.auditHead else { return false }
        record.auditCount = head.count
        record.auditHead = head.mac
        _ = try await vault.write(record, expecting: found?.revision)
        return true
    }

    private func check(_ mark: HostRecord, _ head: AuditHead) async throws(AuditError) {
        let noted = AuditHead(count: mark.auditCount, mac: mark.auditHead)
        guard head.count >= noted.count else { throw .cutShort(log.path, to: head.count, from: noted.count) }
        guard try await log.contains(noted) else { throw .broken(log.path, line: noted.count) }
    }

    private func tellJournal(_ head: AuditHead) {
        let fields = [
            ("MESSAGE", "audit log of \(log.host) ends with line \(head.count)"), ("PRIORITY", "6"),
            ("SYSLOG_IDENTIFIER", "keyover"), ("KEYOVER_HOST", log.host.description),
            ("KEYOVER_AUDIT_HEAD", head.description),
        ]
        JournalSocket.send(fields.map { (name: $0.0, value: $0.1) }, to: journal)
    }
}

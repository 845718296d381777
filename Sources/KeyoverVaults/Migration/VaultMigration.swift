public import KeyoverCore

/// Brings everything in one vault into another one that goes on from it.
///
/// **Copying** changes nothing in the source and may be repeated: only what differs is written. **Moving** then marks each
/// record of the source with one compare-and-swap on exactly the revision that was copied. So each record has its truth at
/// one place at every instant; a crash leaves some records here and some there, and the same calls go on from that.
///
/// Until everything has moved nobody else may use the destination, and this value must be the only one at work.
public struct VaultMigration: Sendable {
    /// How often a record is copied again because somebody keeps changing it.
    static let attempts = 200

    let source: any Vault
    let destination: any Vault
    let isHeld: @Sendable (ClientRecord) -> Bool
    private let goesOn: @Sendable (MigrationProgress) -> Bool
    /// The revisions of the source whose copies lie in the destination, by kind and name.
    private(set) var copied: [String: Revision] = [:]
    /// How many records were written to the destination.
    public private(set) var written = 0

    /// - Parameters:
    ///   - isHeld: Whether a runner is at work on a client, so that it had better not be moved under its hands.
    ///   - goesOn: Hears of each record; answers `false` to stop where the same calls go on later.
    public init(
        from source: any Vault, to destination: any Vault, isHeld: @escaping @Sendable (ClientRecord) -> Bool,
        goesOn: @escaping @Sendable (MigrationProgress) -> Bool
    ) {
        self.source = source
        self.destination = destination
        self.isHeld = isHeld
        self.goesOn = goesOn
    }

    /// Copies what the destination does not have yet, and takes out of it what the source has no longer.
    public mutating func copy() async throws(VaultError) {
        let hasBegunToMove = try await countMoved() > 0
        try await copyAll(TenantRecord.self, hasBegunToMove)
        try await copyAll(HostRecord.self, hasBegunToMove)
        try await copyAll(ClientRecord.self, hasBegunToMove)
    }

    /// How many records of the source have moved.
    public func countMoved() async throws(VaultError) -> Int {
        func count<Record: MovableRecord>(_ type: Record.Type) async throws(VaultError) -> Int {
            try await source.summaries(type).count { $0.record.moved != nil }
        }
        return try await count(TenantRecord.self) + count(ClientRecord.self)
    }

    private mutating func copyAll<Record: VaultRecord>(
        _ type: Record.Type, _ hasBegunToMove: Bool
    ) async throws(VaultError) {
        let names = try await source.summaries(type).map(\.record.name)
        for (index, name) in names.enumerated() {
            try report(.copying, Record.kind, index, of: names.count, name.description)
            _ = try await copy(name)
        }
        // Once records have moved, somebody may have joined the destination and added his own.
        guard !hasBegunToMove else { return }
        let known = Set(names)
        for stranger in try await destination.summaries(type) where !known.contains(stranger.record.name) {
            // Added to the source only now, perhaps.
            guard try await source.read(stranger.record.name) == nil else { continue }
            try await destination.delete(stranger.record.name, expecting: stranger.revision)
        }
    }

    func report(
        _ step: MigrationProgress.Step, _ kind: String, _ done: Int, of total: Int, _ name: String
    ) throws(VaultError) {
        guard goesOn(MigrationProgress(step: step, kind: kind, done: done, total: total, name: name)) else {
            throw VaultError(
                .interrupted, "the migration was interrupted; what has moved has moved, and the rest is where it was",
                remedy: "run the command again to go on")
        }
    }
}

// MARK: One record

extension VaultMigration {
    static func key<Record: VaultRecord>(_ name: Name<Record>) -> String { "\(Record.kind) \(name)" }

    /// Copies a record with its ledger, and proves the copy by reading it.
    ///
    /// - Returns: The record as it is in the source and in the destination; `nil` for one that has moved or is gone.
    mutating func copy<Record: VaultRecord>(_ name: Name<Record>) async throws(VaultError) -> Versioned<Record>? {
        let key = Self.key(name)
        guard let found = try await source.read(name) else {
            // Only what was copied here, just now: others may use the destination by mistake.
            if copied.removeValue(forKey: key) != nil, let copy = try await destination.read(name) {
                try await destination.delete(name, expecting: copy.revision)
            }
            return nil
        }
        if let movable = found.record as? any MovableRecord, movable.moved != nil { return nil }
        if copied[key] != found.revision {
            try await put(found.record)
            copied[key] = found.revision
        }
        if let client = name as? ClientName { try await copyLedger(of: client, exactly: true) }
        return found
    }

    private mutating func put<Record: VaultRecord>(_ record: Record) async throws(VaultError) {
        var present = try await destination.read(record.name)
        if let other = present, other.record.id != record.id {
            // Removed and added again: what was reported about the first one is not about this one.
            try await destination.delete(record.name, expecting: other.revision)
            present = nil
        }
        if present?.record == record { return }
        _ = try await destination.write(record, expecting: present?.revision)
        written += 1
        guard try await destination.read(record.name)?.record == record else {
            throw Self.differs(record.name, in: destination)
        }
    }

    /// Copies what consumers reported.
    ///
    /// - Parameter exactly: Whether the copy loses what the source does not have; otherwise it only gains.
    func copyLedger(of client: ClientName, exactly: Bool) async throws(VaultError) {
        let reports = try await source.ledger(of: client)
        let copies = try await destination.ledger(of: client)
        guard reports != copies else { return }
        for copy in copies where exactly {
            let report = reports.first { $0.consumer == copy.consumer }
            if report == nil || report?.merged(with: copy) != report {
                try await destination.forget(copy.consumer, of: client)
            }
        }
        for report in reports where !copies.contains(report) {
            try await destination.acknowledge(report, of: client)
        }
    }

    static func differs<Record: VaultRecord>(_ name: Name<Record>, in vault: any Vault) -> VaultError {
        VaultError(
            .corrupt,
            "the copy of \(Record.kind) \(name) in the \(vault.backend) vault reads otherwise than it was written",
            remedy: "remove the new vault and begin anew; the old one is what it was")
    }
}

/// How far a migration has come.
public struct MigrationProgress: Equatable, Sendable {
    /// What is being done.
    public enum Step: String, Sendable {
        /// Records are brought over; nothing has changed for anybody.
        case copying
        /// The copies are read and compared.
        case verifying
        /// A rotation is at work, whose end is waited for.
        case waiting
        /// Records are marked as moved.
        case moving
    }

    /// What is being done.
    public let step: Step
    /// The kind of record.
    public let kind: String
    /// How many records of the kind are done.
    public let done: Int
    /// How many there are.
    public let total: Int
    /// The record that is next.
    public let name: String
}

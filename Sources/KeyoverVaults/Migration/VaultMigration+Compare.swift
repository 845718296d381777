public import KeyoverCore

extension VaultMigration {
    /// Reads everything back through a second handle and compares it field by field, values included.
    ///
    /// A record that was changed in the source meanwhile is copied again; what has moved is left out.
    public mutating func verify(through second: any InspectableVault) async throws(VaultError) {
        let hasBegunToMove = try await countMoved() > 0
        try await compareAll(TenantRecord.self, second, hasBegunToMove)
        try await compareAll(HostRecord.self, second, hasBegunToMove)
        try await compareAll(ClientRecord.self, second, hasBegunToMove)
        let findings = try await second.verify().findings
        guard let first = findings.first else { return }
        throw VaultError(.corrupt, "the new vault is not sound: \(first.message)", remedy: first.remedy)
    }

    private mutating func compareAll<Record: VaultRecord>(
        _ type: Record.Type, _ second: any Vault, _ hasBegunToMove: Bool
    ) async throws(VaultError) {
        let names = try await source.summaries(type).map(\.record.name)
        for (index, name) in names.enumerated() {
            try report(.verifying, Record.kind, index, of: names.count, name.description)
            try await compare(name, second)
        }
        // Once records have moved, somebody may have joined the destination and added his own.
        guard !hasBegunToMove else { return }
        for copy in try await second.summaries(type).map(\.record.name) where !names.contains(copy) {
            guard try await source.read(copy) == nil else { continue }
            throw VaultError(
                .corrupt, "the new vault has \(Record.kind) \(copy), which the old one does not have",
                remedy: "run the command again")
        }
    }

    private mutating func compare<Record: VaultRecord>(
        _ name: Name<Record>, _ second: any Vault
    ) async throws(VaultError) {
        var attempts = 0
        while true {
            attempts += 1
            guard let found = try await copy(name) else { return }
            let isEqual = try await second.read(name)?.record == found.record
            guard !isEqual else { break }
            // Whoever changed it in the meantime has to have changed its revision.
            guard attempts < Self.attempts, try await source.read(name)?.revision != found.revision else {
                throw Self.differs(name, in: second)
            }
        }
        guard let client = name as? ClientName else { return }
        // Reports come at any time: one that came after the copy is copied, and then it has to be there.
        for _ in 0..<Self.attempts {
            if try await second.ledger(of: client) == source.ledger(of: client) { return }
            try await copyLedger(of: client, exactly: true)
        }
        throw Self.differs(name, in: second)
    }
}

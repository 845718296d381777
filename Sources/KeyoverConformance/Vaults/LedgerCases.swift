import KeyoverCore

extension VaultSuite {
    static let ledgerCases: [Promise] = [
        ("reports merge in any order and twice", merging),
        ("reports conflict with no runner", reportsBesideRecords),
        ("many consumers at once lose no report", manyConsumers),
        ("a forgotten consumer is gone, and only that one", forgetting),
        ("a client's ledger goes with the client", ledgerOfDeleted),
        ("an unknown client takes no reports", unknownClients),
    ]

    static let keyCases: [Promise] = [
        ("derived keys are stable, distinct and 32 bytes long", derivedKeys)
    ]

    private static let web: ConsumerName = SampleRecords.name("web-1")

    @Sendable private static func merging(_ fixture: any VaultFixture) async throws {
        let reports = [
            SampleRecords.report("web-1", generation: 3, at: 10),
            SampleRecords.report("web-1", generation: 5, at: 5, rejected: 4),
            SampleRecords.report("web-1", generation: 5, at: 20),
            SampleRecords.report("web-1", generation: 4, at: 90, rejected: 2),
        ]
        let expected = reports.dropFirst().reduce(reports[0]) { $0.merged(with: $1) }
        for (index, order) in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1, 2, 0], [1, 1, 3, 2, 0]].enumerated() {
            let client = SampleRecords.client("order-\(index)")
            _ = try await fixture.vault.write(client, expecting: nil)
            for report in order { try await fixture.vault.acknowledge(reports[report], of: client.name) }
            let found = try await fixture.vault.ledger(of: client.name)
            try expect(found == [expected], "order \(order) merged to something else")
        }
    }

    @Sendable private static func reportsBesideRecords(_ fixture: any VaultFixture) async throws {
        let client = SampleRecords.client("busy")
        let revision = try await fixture.vault.write(client, expecting: nil)
        try await fixture.vault.acknowledge(SampleRecords.report("web-1", generation: 1), of: client.name)
        let found = try await fixture.vault.existing(client.name)
        try expect(found.revision == revision, "a report changed the record's revision")
        _ = try await fixture.vault.write(client, expecting: revision)
        let ledger = try await fixture.secondHandle().ledger(of: client.name)
        try expect(ledger.count == 1, "a write of the record changed the ledger")
    }

    @Sendable private static func manyConsumers(_ fixture: any VaultFixture) async throws {
        let client = SampleRecords.client("popular")
        _ = try await fixture.vault.write(client, expecting: nil)
        let handles = [fixture.vault, try await fixture.secondHandle()]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<20 {
                group.addTask {
                    for generation in 1...3 {
                        let report = SampleRecords.report("web-\(index % 10)", generation: UInt64(generation))
                        try await handles[index % 2].acknowledge(report, of: client.name)
                    }
                }
            }
            try await group.waitForAll()
        }
        let found = try await fixture.vault.ledger(of: client.name)
        try expect(found.map(\.consumer) == found.map(\.consumer).sorted(), "the ledger is not ordered by consumer")
        try expect(found.count == 10 && found.allSatisfy { $0.generation == 3 }, "reports were lost: \(found)")
    }

    @Sendable private static func forgetting(_ fixture: any VaultFixture) async throws {
        let (one, other) = (SampleRecords.client("one"), SampleRecords.client("other", number: 9))
        for client in [one, other] {
            _ = try await fixture.vault.write(client, expecting: nil)
            for consumer in ["web-1", "web-2"] {
                try await fixture.vault.acknowledge(SampleRecords.report(consumer, generation: 1), of: client.name)
            }
        }
        try await fixture.vault.forget(web, of: one.name)
        try await fixture.vault.forget(web, of: one.name)
        let left = try await fixture.vault.ledger(of: one.name)
        try expect(left.map(\.consumer.description) == ["web-2"], "left over: \(left)")
        let untouched = try await fixture.vault.ledger(of: other.name)
        try expect(untouched.count == 2, "another client's ledger was changed")
    }

    @Sendable private static func ledgerOfDeleted(_ fixture: any VaultFixture) async throws {
        let client = SampleRecords.client("short-lived")
        var revision = try await fixture.vault.write(client, expecting: nil)
        try await fixture.vault.acknowledge(SampleRecords.report("web-1", generation: 7), of: client.name)
        try await fixture.vault.delete(client.name, expecting: revision)
        revision = try await fixture.vault.write(client, expecting: nil)
        let found = try await fixture.vault.ledger(of: client.name)
        try expect(found.isEmpty, "a new client inherited the ledger of a deleted one")
    }

    @Sendable private static func unknownClients(_ fixture: any VaultFixture) async throws {
        try await expectFailure(.invalid, "a report about an unknown client") {
            try await fixture.vault.acknowledge(
                SampleRecords.report("web-1", generation: 1), of: SampleRecords.name("nobody"))
        }
    }

    @Sendable private static func derivedKeys(_ fixture: any VaultFixture) async throws {
        var keys: [SecretValue] = []
        for purpose in KeyPurpose.allCases {
            let key = try await fixture.vault.derivedKey(for: purpose)
            try expect(key.count == 32, "the key for \(purpose) has \(key.count) bytes")
            try expect(!keys.contains(key), "the key for \(purpose) serves another purpose too")
            let again = try await fixture.secondHandle().derivedKey(for: purpose)
            try expect(key == again, "the key for \(purpose) is another one through another handle")
            keys.append(key)
        }
    }
}

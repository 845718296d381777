import KeyoverCore

extension VaultSuite {
    static let summaryCases: [Promise] = [
        ("summaries hold no values and are ordered by name", summaries),
        ("a handle without the value key reads records without values and changes nothing", withoutValues),
    ]

    @Sendable private static func summaries(_ fixture: any VaultFixture) async throws {
        let none = try await fixture.vault.summaries(ClientRecord.self)
        try expect(none.isEmpty, "an empty vault lists something")
        var revisions: [ClientName: Revision] = [:]
        for text in ["delta", "alpha", "charlie", "Bravo", "bravo"] {
            let client = SampleRecords.clientInRotation(text)
            revisions[client.name] = try await fixture.vault.write(client, expecting: nil)
        }
        _ = try await fixture.vault.write(SampleRecords.tenant("sandbox-1"), expecting: nil)
        let found = try await fixture.vault.summaries(ClientRecord.self)
        try expect(
            found.map(\.record.name.description) == ["Bravo", "alpha", "bravo", "charlie", "delta"],
            "listed as \(found.map(\.record.name.description))")
        for summary in found {
            try expect(summary.record.secrets.isEmpty, "the summary of \(summary.record.name) holds a value")
            try expect(revisions[summary.record.name] == summary.revision, "a summary has another revision")
            var expected = SampleRecords.clientInRotation(summary.record.name.description)
            expected.secrets = [:]
            try expect(summary.record == expected, "the summary of \(summary.record.name) differs from the record")
        }
        let tenants = try await fixture.vault.summaries(TenantRecord.self)
        try expect(tenants.count == 1 && tenants[0].record.adminCredential == nil, "a tenant's summary holds a value")
    }

    @Sendable private static func withoutValues(_ fixture: any VaultFixture) async throws {
        let auditor = try await fixture.metadataHandle()
        let client = SampleRecords.clientInRotation("audited")
        let revision = try await fixture.vault.write(client, expecting: nil)
        let found = try await auditor.existing(client.name)
        var expected = client
        expected.secrets = [:]
        try expect(found.record == expected, "the record without values differs from the record")
        let summaries = try await auditor.summaries(ClientRecord.self)
        try expect(summaries.map(\.record) == [expected], "the summaries differ")
        try await expectFailure(.noValueAccess, "a write without the value key") {
            _ = try await auditor.write(found.record, expecting: revision)
        }
        try await expectFailure(.noValueAccess, "a fingerprint key without the value key") {
            _ = try await auditor.derivedKey(for: .fingerprint)
        }
        try await expectFailure(.noValueAccess, "a removal without the value key") {
            try await auditor.delete(client.name, expecting: revision)
        }
        let entry = SampleRecords.report("app", generation: 1, at: 10)
        try await fixture.vault.acknowledge(entry, of: client.name)
        try await expectFailure(.noValueAccess, "a report of a consumer without the value key") {
            try await auditor.acknowledge(SampleRecords.report("other", generation: 1, at: 10), of: client.name)
        }
        try await expectFailure(.noValueAccess, "forgetting a consumer without the value key") {
            try await auditor.forget(entry.consumer, of: client.name)
        }
        let after = try await fixture.vault.existing(client.name)
        try expect(after.record == client, "an auditor changed the record")
        try expect(try await fixture.vault.ledger(of: client.name) == [entry], "an auditor changed the ledger")
    }
}

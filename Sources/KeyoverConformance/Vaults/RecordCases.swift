import KeyoverCore

extension VaultSuite {
    static let recordCases: [Promise] = [
        ("a record comes back with every field and value", everyField),
        ("a name that nobody wrote reads as nothing", unknownNames),
        ("names that look alike stay apart, and so do kinds", hostileNames),
        ("values may hold any bytes, and be empty", anyBytes),
        ("a value of 1 MiB is kept, and a larger one refused", largeValues),
        ("a value taken out of a record is gone", removedValues),
        ("another handle sees a change at once", otherHandles),
    ]

    @Sendable private static func everyField(_ fixture: any VaultFixture) async throws {
        let client = SampleRecords.clientInRotation("billing-sync")
        let tenant = SampleRecords.tenant("sandbox-1")
        let host = SampleRecords.host("host-1")
        let vault = fixture.vault
        let revision = try await vault.write(client, expecting: nil)
        _ = try await vault.write(tenant, expecting: nil)
        _ = try await vault.write(host, expecting: nil)
        for handle in [vault, try await fixture.secondHandle()] {
            let found = try await handle.existing(client.name)
            try expect(found.record == client, "the client came back changed")
            try expect(found.record.secrets == client.secrets, "the client's values came back changed")
            try expect(found.revision == revision, "the client came back with another revision")
            let foundTenant = try await handle.existing(tenant.name).record
            try expect(foundTenant == tenant, "the tenant came back changed")
            let foundHost = try await handle.existing(host.name).record
            try expect(foundHost == host, "the host came back changed")
        }
    }

    @Sendable private static func unknownNames(_ fixture: any VaultFixture) async throws {
        let name: ClientName = SampleRecords.name("nobody")
        let found = try await fixture.vault.read(name)
        try expect(found == nil, "there is a record that nobody wrote")
        let ledger = try await fixture.vault.ledger(of: name)
        try expect(ledger.isEmpty, "an unknown client has a ledger")
        try await fixture.vault.forget(SampleRecords.name("web-1"), of: name)
    }

    @Sendable private static func hostileNames(_ fixture: any VaultFixture) async throws {
        let texts = [
            "a", "A", "a.", "a.b", "a-b", "a_b", "0", "00", "client", "tenant", "con", "a.db", "a-wal", "DROP",
            String(repeating: "x", count: 127), String(repeating: "x", count: 128),
        ]
        for (index, text) in texts.enumerated() {
            let client = SampleRecords.client(text, secret: "of \(text)", number: UInt64(index))
            _ = try await fixture.vault.write(client, expecting: nil)
        }
        _ = try await fixture.vault.write(SampleRecords.tenant("a"), expecting: nil)
        for text in texts {
            let found = try await fixture.vault.existing(SampleRecords.name(text) as ClientName).record
            try expect(found.name.description == text, "\(text) reads as \(found.name)")
            try expect(found.primary.value == SecretValue(copying: "of \(text)".utf8), "\(text) has another's value")
        }
        let summaries = try await fixture.vault.summaries(ClientRecord.self)
        try expect(summaries.count == texts.count, "\(summaries.count) of \(texts.count) are listed")
    }

    @Sendable private static func anyBytes(_ fixture: any VaultFixture) async throws {
        var client = SampleRecords.client("bytes")
        for bytes in [Array(UInt8.min...UInt8.max), [], [0], Array("\r\n\0'\"$(x)".utf8)] {
            client.primary.value = SecretValue(copying: bytes)
            let revision = try await fixture.vault.read(client.name)?.revision
            _ = try await fixture.vault.write(client, expecting: revision)
            let found = try await fixture.vault.existing(client.name).record
            try expect(found.primary.value == client.primary.value, "a value of \(bytes.count) bytes came back changed")
        }
    }

    @Sendable private static func largeValues(_ fixture: any VaultFixture) async throws {
        var client = SampleRecords.client("large")
        client.primary.value = SecretValue(count: 1 << 20) { buffer in
            for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: index &* 31) }
        }
        let revision = try await fixture.vault.write(client, expecting: nil)
        let found = try await fixture.vault.existing(client.name).record
        try expect(found.primary.value == client.primary.value, "a value of 1 MiB came back changed")
        client.primary.value = SecretValue(count: 1 << 20 + 1) { _ in }
        try await expectFailure(.tooLarge, "a value beyond 1 MiB") {
            _ = try await fixture.vault.write(client, expecting: revision)
        }
        let after = try await fixture.vault.existing(client.name)
        try expect(after.revision == revision, "a refused write changed the record")
    }

    @Sendable private static func removedValues(_ fixture: any VaultFixture) async throws {
        var client = SampleRecords.clientInRotation("promoted")
        let first = try await fixture.vault.write(client, expecting: nil)
        client.secondary = nil
        client.standby = nil
        _ = try await fixture.vault.write(client, expecting: first)
        let found = try await fixture.vault.existing(client.name).record
        try expect(found == client, "the record came back changed")
        try expect(found.secrets.keys.sorted() == ["primary"], "values are left over: \(found.secrets.keys)")
    }

    @Sendable private static func otherHandles(_ fixture: any VaultFixture) async throws {
        let other = try await fixture.secondHandle()
        try expect(other.id == fixture.vault.id, "two handles name the vault differently")
        var client = SampleRecords.client("shared")
        var revision = try await fixture.vault.write(client, expecting: nil)
        for round in 1...5 {
            client.generation += 1
            let writer = round.isMultiple(of: 2) ? fixture.vault : other
            let reader = round.isMultiple(of: 2) ? other : fixture.vault
            revision = try await writer.write(client, expecting: revision)
            let found = try await reader.existing(client.name)
            try expect(found.record == client && found.revision == revision, "round \(round) was not seen")
        }
    }
}

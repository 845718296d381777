import KeyoverCore

extension VaultSuite {
    static let accessCases: [Promise] = [
        ("what a backend could stumble over is no name", refusedNames),
        ("names that differ in case only stay apart, of all kinds", casePairs),
        ("an identity that was never granted anything opens nothing", strangers),
        ("a check of the whole vault finds nothing wrong", checking),
    ]

    static let signInCases: [Promise] = [
        ("a wrong credential opens nothing and is named as the cause", wrongCredential)
    ]

    static let fileCases: [Promise] = [
        ("files that others can read are refused until they are private again", looseFiles)
    ]

    @Sendable private static func refusedNames(_ fixture: any VaultFixture) async throws {
        let texts = [
            "", " ", "a b", "a/b", "/a", "a/", "..", ".", "../a", "a..b", "a\\b", "-a", "_a", ".a", "a%2fb", "a\0b",
            "a\nb", "a\u{7F}", "zürich", "A\u{308}", "\u{202E}a", "a\u{200B}", "ａ", "а", "😀", "*", "a?b", "a#b",
            "a:b", "a'b", "a\"b", "$a", "a;b", String(repeating: "x", count: 129), String(repeating: "x", count: 200),
            String(repeating: "é", count: 100),
        ]
        for text in texts {
            try expect(ClientName(text) == nil, "\(text.debugDescription) is taken as the name of a client")
            try expect(TenantName(text) == nil, "\(text.debugDescription) is taken as the name of a tenant")
            try expect(ConsumerName(text) == nil, "\(text.debugDescription) is taken as the name of a consumer")
        }
        // What is the longest, and what looks most like a path, is a name and comes back.
        for text in [String(repeating: "x", count: 128), "a.b.c", "0.", "a-", "etc.passwd", "keys", "records"] {
            let client = SampleRecords.client(text)
            _ = try await fixture.vault.write(client, expecting: nil)
            let found = try await fixture.secondHandle().existing(client.name).record
            try expect(found == client, "\(text) came back changed")
        }
    }

    @Sendable private static func casePairs(_ fixture: any VaultFixture) async throws {
        let (vault, texts) = (fixture.vault, ["billing", "Billing", "BILLING"])
        for (index, text) in texts.enumerated() {
            let client = SampleRecords.client(text, secret: "of \(text)", number: UInt64(index))
            _ = try await vault.write(client, expecting: nil)
            var tenant = SampleRecords.tenant(text)
            tenant.adminCredential = SecretValue(copying: "admin of \(text)".utf8)
            _ = try await vault.write(tenant, expecting: nil)
            for consumer in texts {
                let report = SampleRecords.report(consumer, generation: UInt64(index + 1))
                try await vault.acknowledge(report, of: client.name)
            }
        }
        for (index, text) in texts.enumerated() {
            let client: ClientName = SampleRecords.name(text)
            let found = try await vault.existing(client).record
            try expect(found.primary.value == SecretValue(copying: "of \(text)".utf8), "\(text) has another's value")
            let tenant = try await vault.existing(SampleRecords.name(text) as TenantName).record
            try expect(
                tenant.adminCredential == SecretValue(copying: "admin of \(text)".utf8), "\(text) has another's admin")
            let ledger = try await vault.ledger(of: client)
            try expect(
                ledger.map(\.consumer.description).sorted() == texts.sorted()
                    && ledger.allSatisfy { $0.generation == UInt64(index + 1) }, "\(text) has another's ledger")
        }
    }

    @Sendable private static func strangers(_ fixture: any VaultFixture) async throws {
        _ = try await fixture.vault.write(SampleRecords.client("private"), expecting: nil)
        try await expectFailure(.locked, "opening with a stranger's identity") {
            _ = try await fixture.strangersHandle()
        }
    }

    @Sendable private static func checking(_ fixture: any VaultFixture) async throws {
        let client = SampleRecords.clientInRotation("checked")
        let revision = try await fixture.vault.write(client, expecting: nil)
        _ = try await fixture.vault.write(client, expecting: revision)
        let gone = SampleRecords.client("gone")
        try await fixture.vault.delete(gone.name, expecting: try await fixture.vault.write(gone, expecting: nil))
        try await fixture.vault.acknowledge(SampleRecords.report("web-1", generation: 1), of: client.name)
        let findings = try await fixture.findings()
        try expect(findings.isEmpty, "found wrong: \(findings)")
    }

    @Sendable private static func wrongCredential(_ fixture: any VaultFixture) async throws {
        let signing: any SignInFixture = try demand(.signingIn, fixture)
        let revision = try await fixture.vault.write(SampleRecords.client("kept"), expecting: nil)
        do {
            _ = try await signing.handleWithWrongCredential()
        } catch let error as VaultError {
            try expect(error.code == .locked, "a wrong credential gives \(error.code): \(error.message)")
            try expect(error.remedy != nil, "nobody says what to do about a wrong credential")
            let found = try await fixture.vault.existing(SampleRecords.name("kept") as ClientName)
            try expect(found.revision == revision, "a wrong credential changed the record")
            return
        }
        throw ConformanceFailure("a wrong credential opened the vault")
    }

    @Sendable private static func looseFiles(_ fixture: any VaultFixture) async throws {
        let files: any FileFixture = try demand(.files, fixture)
        _ = try await fixture.vault.write(SampleRecords.client("a"), expecting: nil)
        try files.loosen()
        try await expectFailure(.looseFilePermissions, "opening a vault that others can read") {
            _ = try await fixture.secondHandle()
        }
        try files.tighten()
        _ = try await fixture.secondHandle().existing(SampleRecords.name("a") as ClientName)
    }
}

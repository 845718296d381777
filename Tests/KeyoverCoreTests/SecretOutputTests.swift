import KeyoverConformance
import KeyoverCore
import Testing

@Suite struct SecretOutputTests {
    private func render(
        _ client: ClientRecord, _ field: SecretField? = nil, _ format: SecretFormat = .raw
    ) throws -> String {
        try SecretOutput(client).render(field: field, format: format)
            .withUnsafeSecretBytes { String(decoding: $0, as: UTF8.self) }
    }

    @Test func theActiveSlotIsAnswered() throws {
        var client = SampleRecords.clientInRotation("a")
        (client.restored, client.moved) = (nil, nil)
        #expect(try render(client) == "whisper\n")
        #expect(try render(client, .slot) == "secondary\n")
        client.active = .primary
        #expect(try render(client) == "hush\n")
        #expect(try render(client, .clientID) == "id-of-a\n")
    }

    @Test func jsonEscapesWhatJSONCannotHold() throws {
        var client = SampleRecords.client("a", secret: "\"\\/\n\r\t\u{1}\u{7F}é\u{1F511}")
        let expected = #"{"client_secret":"\"\\/\n\r\t\u0001\u007fé🔑"}"# + "\n"
        #expect(try render(client, .clientSecret, .json) == expected)
        client.primary.value = SecretValue(copying: [0x61, 0xFF, 0x62])
        #expect(try render(client, .clientSecret, .json) == "{\"client_secret\":\"a\u{FFFD}b\"}\n")
    }

    @Test func aMissingTokenURLIsNullInJSONAbsentInEnvAndAnErrorByItself() throws {
        let client = SampleRecords.client("a")
        #expect(
            try render(client, nil, .json)
                == #"{"client":"a","client_id":"id-of-a","client_secret":"hush","generation":1,"slot":"primary","#
                + #""token_url":null}"# + "\n")
        #expect(
            try render(client, nil, .env) == """
                KEYOVER_CLIENT='a'
                KEYOVER_CLIENT_ID='id-of-a'
                KEYOVER_CLIENT_SECRET='hush'
                KEYOVER_GENERATION='1'
                KEYOVER_SLOT='primary'

                """)
        #expect(throws: VaultError.self) { try render(client, .tokenURL) }
    }

    @Test func whatCameOutOfABackupIsNotGivenOutInAnyForm() throws {
        var client = SampleRecords.clientInRotation("a")
        client.moved = nil
        for field in SecretField.allCases {
            for format in SecretFormat.allCases {
                let error = #expect(throws: RotationError.self) { try render(client, field, format) }
                #expect(error?.code == .restored)
                #expect(error?.remedy == "run keyover resume a" || error?.remedy == "run keyover recover a")
            }
        }
    }

    @Test func whatHasMovedIsNotGivenOutAndSaysWhereItIs() throws {
        var client = SampleRecords.clientInRotation("a")
        let moved = try #require(client.moved)
        client.restored = nil
        for field in SecretField.allCases {
            for format in SecretFormat.allCases {
                let error = #expect(throws: RotationError.self) { try render(client, field, format) }
                #expect(error?.code == .moved)
                #expect(error?.message.contains(moved.to) == true)
                #expect(error?.remedy?.contains("--key-commitment \(moved.keyCommitment)") == true)
            }
        }
    }

    @Test func aRestoredRecordIsHereAgain() {
        var (client, tenant) = (SampleRecords.clientInRotation("a"), SampleRecords.tenant("t"))
        let restoration = Restoration(at: SampleRecords.moment, backedUpAt: SampleRecords.moment)
        client.mark(restoration)
        tenant.mark(restoration)
        #expect(client.moved == nil && tenant.moved == nil)
        #expect(client.restored == restoration, "and is given out only once it is verified")
    }

    @Test func withoutTheValueNothingIsMadeUp() {
        var client = SampleRecords.client("a")
        client.secrets = [:]
        for format in SecretFormat.allCases {
            let error = #expect(throws: VaultError.self) { try render(client, nil, format) }
            #expect(error?.code == .noValueAccess)
        }
    }

    @Test func longSecretsSurviveTheWipingBuffer() throws {
        let secret = String(repeating: "x'", count: 100_000)
        let client = SampleRecords.client("a", secret: secret)
        #expect(try render(client) == secret + "\n")
        let quoted = secret.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
        #expect(try render(client, .clientSecret, .env) == "KEYOVER_CLIENT_SECRET='\(quoted)'\n")
    }
}

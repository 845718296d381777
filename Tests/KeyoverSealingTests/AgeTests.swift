import KeyoverCore
import Testing

@testable import KeyoverSealing

@Suite struct AgeTests {
    private static func code(_ body: () throws -> Void) -> AgeError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? AgeError)?.code
        }
    }

    @Test func anyOfSeveralRecipientsOpensAFileAndAStrangerDoesNot() throws {
        let identities = try (0..<3).map { _ in try X25519Identity.generate() }
        let file = try AgeFile.encrypt(SecretValue("hush"), to: identities.map(\.recipient))
        for identity in identities { #expect(try AgeFile.decrypt(file, with: [identity]).text == "hush") }
        #expect(Self.code { _ = try AgeFile.decrypt(file, with: [X25519Identity.generate()]) } == .noMatch)
        #expect(Self.code { _ = try AgeFile.decrypt(file, with: []) } == .noMatch)
        #expect(try AgeFile.recipientTypes(file) == ["X25519", "X25519", "X25519"])
    }

    @Test func everyBitOfAFileCounts() throws {
        let identity = try X25519Identity.generate()
        let file = try AgeFile.encrypt(SecretValue("a secret of some length"), to: [identity.recipient])
        for index in file.indices {
            var harmed = file
            harmed[index] ^= 1 << UInt8(index % 8)
            #expect(Self.code { _ = try AgeFile.decrypt(harmed, with: [identity]) } != nil, "byte \(index)")
        }
        for count in file.indices {
            #expect(Self.code { _ = try AgeFile.decrypt(Array(file[..<count]), with: [identity]) } != nil, "\(count)")
        }
    }

    @Test func aPassphraseStandsAlone() throws {
        let passphrase = try ScryptPassphrase(SecretValue("correct horse"), workFactor: 10)
        let identity = try X25519Identity.generate()
        #expect(
            Self.code { _ = try AgeFile.encrypt(SecretValue("x"), to: [passphrase, identity.recipient]) } == .header)
        #expect(Self.code { _ = try AgeFile.encrypt(SecretValue("x"), to: [passphrase, passphrase]) } == .header)
        #expect(Self.code { _ = try AgeFile.encrypt(SecretValue("x"), to: []) } == .key)
        #expect(Self.code { _ = try ScryptPassphrase(SecretValue("")) } == .key)
    }

    @Test(arguments: [21, 22, 30, 62, 63, 64, 1000])
    func excessiveWorkIsRefusedBeforeItIsDone(workFactor: Int) throws {
        let passphrase = try ScryptPassphrase(SecretValue("correct horse"), workFactor: 10)
        let fileKey = SecretValue(copying: [UInt8](repeating: 1, count: 16))
        var stanza = try passphrase.wrap(fileKey)
        stanza.arguments[1] = String(workFactor)
        let clock = ContinuousClock()
        let elapsed = clock.measure {
            #expect(Self.code { _ = try passphrase.unwrap([stanza]) } == .header)
        }
        #expect(elapsed < .seconds(1))
        #expect(Self.code { _ = try ScryptPassphrase(SecretValue("x"), workFactor: workFactor) } == .key)
    }

    @Test func pointsOfLowOrderAreRefused() throws {
        let identity = try X25519Identity.generate()
        let fileKey = SecretValue(copying: [UInt8](repeating: 1, count: 16))
        for first in [UInt8(0), 1] {
            let point = [first] + [UInt8](repeating: 0, count: 31)
            let share = String(decoding: StrictBase64.encode(point), as: UTF8.self)
            let stanza = AgeStanza(type: "X25519", arguments: [share], body: [UInt8](repeating: 0, count: 32))
            #expect(Self.code { _ = try identity.unwrap([stanza]) } == .header)
            #expect(Self.code { _ = try X25519Recipient(bytes: point).wrap(fileKey) } != nil)
        }
    }

    @Test func keysAreWrittenAsTheFormatSays() throws {
        // From the specification of the format: a scalar of 32 times 0x42.
        let text = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
        let identity = try X25519Identity(SecretValue(text))
        #expect(identity.encoded.text == text)
        #expect("\(identity.recipient)" == "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj")
        #expect(X25519Recipient("\(identity.recipient)") == identity.recipient)
    }

    @Test(arguments: [
        "", "age1", "AGE-SECRET-KEY-1",
        "age-secret-key-1gfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpq4egaex",
        "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEY",
        "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX ",
        "AGE-SECRET-KEY-PQ-1HZLGZUPT4ETPKDEV8HSGFDCYZ4E522W0A7PU2LHT8EH9W6YLNC3SW78XKG",
        "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
    ]) func malformedIdentitiesAreRefused(text: String) {
        #expect(Self.code { _ = try X25519Identity(SecretValue(text)) } == .key)
    }

    @Test func aRecipientInMixedCaseIsRefused() {
        #expect(X25519Recipient("age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwJ") == nil)
        #expect(X25519Recipient("age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujw") == nil)
    }

    @Test func base64HasOneSpellingOnly() {
        for count in 0...66 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
            for padded in [false, true] {
                let text = StrictBase64.encode(bytes, padded: padded)
                #expect(StrictBase64.decode(text, padded: padded) == bytes)
                if count % 3 != 0 { #expect(StrictBase64.decode(text, padded: !padded) == nil) }
            }
        }
        for text in ["A", "AB", "AAB", "A A", "AA=", "AAA=", "A===", "AA\n", "-_", "AAAA="] {
            #expect(StrictBase64.decode(Array(text.utf8)) == nil, "\(text)")
        }
    }

    @Test func randomHeadersNeverEndTheProcess() {
        var generator = SystemRandomNumberGenerator()
        let pieces = [
            "age-encryption.org/v1\n", "-> X25519 ", "-> scrypt ", "AAAA", "\n", "--- ", "---", " ", "->", "\r\n", "=",
            "+/",
            "-----BEGIN AGE ENCRYPTED FILE-----\n", "-----END AGE ENCRYPTED FILE-----",
        ]
        for _ in 0..<3000 {
            var file: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<12, using: &generator) {
                file += Array((pieces.randomElement(using: &generator) ?? "").utf8)
                if Bool.random(using: &generator) { file.append(UInt8.random(in: .min ... .max, using: &generator)) }
            }
            #expect(Self.code { _ = try AgeFile.decrypt(file, with: []) } != nil)
        }
    }
}

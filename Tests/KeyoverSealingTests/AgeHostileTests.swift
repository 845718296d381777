import Crypto
import Foundation
import KeyoverCore
import Testing

@testable import KeyoverSealing

/// Age files that somebody made on purpose, put together from the specification; what they are is said in their names.
@Suite struct AgeHostileTests {
    private let identity: X25519Identity
    private let fileKey = SecretValue(copying: Array(UInt8(32)..<48))

    init() throws {
        identity = try X25519Identity(
            SecretValue("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"))
    }

    /// What decrypting ends in; the stock program has to agree whether there is a plaintext.
    private func outcome(_ file: [UInt8], askingAge: Bool = true) throws -> Result<String, AgeError> {
        let result = Result { () throws(AgeError) in try AgeFile.decrypt(file, with: [identity]).text }
        if askingAge {
            let scratch = try Scratch()
            let key = try scratch.write("key", IdentityFile.text(of: identity).text)
            let age = try KeyoverSealingTests.outcome(of: "/usr/bin/age", ["-d", "-i", key], input: file)
            let theirs = age.status == 0 ? String(decoding: age.output, as: UTF8.self) : nil
            let ours = try? result.get()
            #expect(theirs == ours, "the stock program thinks otherwise: \(age.errors)")
        }
        return result
    }

    private func code(_ file: [UInt8], askingAge: Bool = true) throws -> AgeError.Code? {
        guard case .failure(let error) = try outcome(file, askingAge: askingAge) else { return nil }
        return error.code
    }

    // MARK: Making files

    /// The lines of a stanza for the identity, for a share and the secret that it leads to.
    private func stanza(share: [UInt8], secret: [UInt8]) throws -> String {
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret), salt: share + identity.recipient.bytes,
            info: Array("age-encryption.org/v1/X25519".utf8), outputByteCount: 32)
        let body = try FileKeyWrap.wrap(fileKey, with: key.secretValue)
        return "-> X25519 \(base64(share))\n\(base64(body))\n"
    }

    private func goodStanza() throws -> String {
        let ephemeral = Curve25519.KeyAgreement.PrivateKey()
        let point = try Curve25519.KeyAgreement.PublicKey(rawRepresentation: identity.recipient.bytes)
        let secret = try ephemeral.sharedSecretFromKeyAgreement(with: point).withUnsafeBytes { Array($0) }
        return try stanza(share: Array(ephemeral.publicKey.rawRepresentation), secret: secret)
    }

    /// A file with these stanzas and the MAC that they should have.
    private func file(_ stanzas: String, chunks: [(text: [UInt8], index: Int, isLast: Bool)]? = nil) throws -> [UInt8] {
        let covered = Array("age-encryption.org/v1\n\(stanzas)---".utf8)
        let key = Primitives.derive(fileKey, salt: [], info: Array("header".utf8), count: 32)
        let mac = base64(Primitives.authenticate(covered, with: key))
        let nonce = [UInt8](repeating: 7, count: 16)
        let payloadKey = AgePayload.payloadKey(fileKey, nonce)
        let chunks = chunks ?? [(Array("hush".utf8), 0, true)]
        let payload = try chunks.flatMap { chunk in
            try chunk.text.withUnsafeBytes { try AgePayload.seal($0, chunk.index, isLast: chunk.isLast, payloadKey) }
        }
        return covered + Array(" \(mac)\n".utf8) + nonce + payload
    }

    private func base64(_ bytes: [UInt8]) -> String {
        String(Data(bytes).base64EncodedString().prefix { $0 != "=" })
    }

    // MARK: X25519

    @Test func aFileMadeHereIsGood() throws {
        #expect(try outcome(file(goodStanza())) == .success("hush"))
        #expect(try outcome(file("-> other\n\n" + goodStanza() + "-> grease x\nAAAA\n")) == .success("hush"))
    }

    /// The points of small order in every form that 32 bytes can have; the secret that they lead to is known to all.
    @Test(arguments: [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ])
    func aShareOfLowOrderIsRefused(digits: String) throws {
        var share = try #require(Hex.decode(digits))
        for _ in 0..<2 {
            let file = try file(stanza(share: share, secret: [UInt8](repeating: 0, count: 32)))
            #expect(try code(file) == .header)
            #expect(throws: AgeError.self) { try X25519Recipient(bytes: share).wrap(fileKey) }
            share[31] |= 0x80
        }
    }

    /// Numbers beyond the field that are of low order only to who keeps the topmost bit, which X25519 does not.
    @Test(arguments: [
        "cdeb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
        "4c9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
        "d9ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "daffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "dbffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ])
    func aShareBeyondTheFieldOpensNothing(digits: String) throws {
        let share = try #require(Hex.decode(digits))
        #expect(try code(file(stanza(share: share, secret: [UInt8](repeating: 0, count: 32)))) == .noMatch)
    }

    @Test func aShareIsReadAsX25519DoesAndItsBytesCount() throws {
        // The base point, whose secret is the recipient itself, in its own form and in two that are not reduced.
        let base = [9] + [UInt8](repeating: 0, count: 31)
        let beyond = [0xF6] + [UInt8](repeating: 0xFF, count: 30) + [0x7F]
        let masked = Array(base.dropLast()) + [0x80]
        for share in [base, beyond, masked] {
            #expect(try outcome(file(stanza(share: share, secret: identity.recipient.bytes))) == .success("hush"))
            let other = try stanza(share: base, secret: identity.recipient.bytes)
                .replacing(base64(base), with: base64(share))
            if share != base { #expect(try code(file(other)) == .noMatch) }
        }
    }

    @Test func everyWordOfAStanzaHasOneSpelling() throws {
        let good = try goodStanza()
        let lines = good.split(separator: "\n").map(String.init)
        let share = lines[0].split(separator: " ")[2]
        // The last digit of 32 bytes holds two bits that must be zero.
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        func loose(_ text: some StringProtocol) -> String {
            guard let last = text.last, let index = alphabet.firstIndex(of: last) else { return String(text) }
            return text.dropLast() + String(alphabet[index | 1])
        }
        let spellings = [
            good.replacing(share, with: loose(share)), good.replacing(share, with: share + "="),
            good.replacing(share, with: share.dropLast()), good.replacing(share, with: share + "A"),
            good.replacing(share, with: share + " more"), good.replacing(lines[1], with: loose(lines[1])),
            good.replacing(lines[1], with: lines[1] + "="), good.replacing(lines[1], with: lines[1] + " "),
            good.replacing("\n", with: "\r\n"), good.replacing("-> X25519 ", with: "-> X25519  "),
            good.replacing("-> X25519 ", with: "->X25519 "), good.replacing("-> X25519 ", with: "-> X25519\t"),
            good.replacing(lines[0], with: lines[0] + " "), good.replacing(lines[0], with: lines[0] + " \u{7F}"),
            good.replacing(lines[0], with: lines[0] + " ü"), good + "\n", "\n" + good, "-> \n\n" + good,
            "->\n\n" + good,
        ]
        for stanzas in spellings { #expect(try code(file(stanzas)) == .header, "\(stanzas)") }
        #expect(try code(file("")) == .header)
    }

    @Test func theLinesOfABodyAreFullButTheLast() throws {
        let full = String(repeating: "A", count: 64)
        for body in ["\n", "AAAA\n", full + "\n\n", full + "\nAAAA\n", full + "\n" + full + "\n\n"] {
            #expect(try outcome(file("-> x\n\(body)" + goodStanza())) == .success("hush"), "\(body)")
        }
        for body in ["", full + "\n", full + "AAAA\n", full + "A\n\n", "AAAA\nAAAA\n", "\n\n", "A\n"] {
            #expect(try code(file("-> x\n\(body)" + goodStanza())) == .header, "\(body)")
        }
    }

    @Test func theLineOfTheMACHasOneSpelling() throws {
        let good = try file(goodStanza())
        let start = try #require(good.firstRange(of: Array("\n--- ".utf8))).lowerBound + 1
        func changed(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
            var line = Array(good[start..<start + 48])
            change(&line)
            return good[..<start] + line + good[(start + 48)...]
        }
        let last = good[start + 46]
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let loose = alphabet[(alphabet.firstIndex(of: last) ?? 0) | 1]
        for file in [
            changed { $0[46] = loose }, changed { $0.insert(61, at: 47) }, changed { $0.remove(at: 46) },
            changed { $0[3] = 9 }, changed { $0.insert(13, at: 47) }, changed { $0.insert(45, at: 3) },
        ] { #expect(try code(file) == .header) }
        #expect(try code(changed { $0[10] = $0[10] == 65 ? 66 : 65 }) == .hmac)
    }

    // MARK: scrypt

    @Test(arguments: [
        "21", "31", "63", "64", "99999999999999999999", "0", "00", "012", "+12", "-1", "1e1", "0x0c", "٣", "12 ",
    ])
    func aCostThatIsNotPlainlyWithinTheLimitIsRefused(cost: String) throws {
        let passphrase = try ScryptPassphrase(SecretValue("fuzz"), workFactor: 1)
        var stanza = try passphrase.wrap(fileKey)
        stanza.arguments[1] = cost
        let error = #expect(throws: AgeError.self) { _ = try passphrase.unwrap([stanza]) }
        #expect(error?.code == .header)
        let text = "-> scrypt \(stanza.arguments.joined(separator: " "))\n\(base64(stanza.body))\n"
        let file = try file(text)
        #expect(throws: AgeError.self) { _ = try AgeFile.decrypt(file, with: [passphrase]) }
    }

    @Test func aPassphraseBesideAnythingIsRefusedBeforeWork() throws {
        let passphrase = try ScryptPassphrase(SecretValue("fuzz"), workFactor: 1)
        let stanza = try passphrase.wrap(fileKey)
        let text = "-> scrypt \(stanza.arguments.joined(separator: " "))\n\(base64(stanza.body))\n"
        #expect(try AgeFile.decrypt(file(text), with: [passphrase]).text == "hush")
        for stanzas in [text + text, try text + goodStanza(), try goodStanza() + text, text + "-> grease\n\n"] {
            let file = try file(stanzas)
            let error = #expect(throws: AgeError.self) { _ = try AgeFile.decrypt(file, with: [passphrase, identity]) }
            #expect(error?.code == .header)
        }
    }

    // MARK: Payload

    @Test func chunksAreFullInOrderAndOnlyTheLastIsLast() throws {
        let full = [UInt8](repeating: 1, count: 65_536)
        let stanzas = try goodStanza()
        let good: [[(text: [UInt8], index: Int, isLast: Bool)]] = [
            [([], 0, true)], [(full, 0, true)], [(full, 0, false), ([2], 1, true)],
            [(full, 0, false), (full, 1, true)],
        ]
        for chunks in good { #expect(try code(file(stanzas, chunks: chunks)) == nil) }
        let bad: [[(text: [UInt8], index: Int, isLast: Bool)]] = [
            [], [([1], 0, false)], [(full, 0, false)], [(full, 0, false), ([], 1, true)],
            [([], 0, false), ([1], 1, true)],
            [(full, 0, true), ([1], 1, true)], [(full, 0, false), ([1], 0, true)], [(full, 1, false), ([1], 0, true)],
            [([1], 1, true)], [(full + [1], 0, true)], [([1], 0, false), ([2], 1, true)],
            [(full, 0, false), ([1], 1, true), ([2], 2, true)], [(full, 0, false), ([1], 2, true)],
        ]
        for chunks in bad {
            #expect(try code(file(stanzas, chunks: chunks)) == .payload, "\(chunks.map { ($0.text.count, $0.index) })")
        }
    }

    @Test func whatFollowsOrIsMissingIsNoticed() throws {
        let good = try file(goodStanza())
        for tail in [[0], [10], good, [UInt8](repeating: 0, count: 65_552)] {
            #expect(try code(good + tail) == .payload)
        }
        for count in good.indices {
            #expect(try code(Array(good[..<count]), askingAge: count % 16 == 0) != nil, "\(count) bytes")
        }
        for index in good.indices {
            for change in [UInt8(1), 0x20, 0x80] {
                var harmed = good
                harmed[index] ^= change
                #expect(try code(harmed, askingAge: false) != nil, "byte \(index)")
            }
        }
    }

    // MARK: Armor

    @Test func armorHasOneSpellingBetweenBlankSpace() throws {
        let armored = String(decoding: AgeArmor.encode(try file(goodStanza())), as: UTF8.self)
        let lines = armored.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
        #expect(lines.count > 4 && lines[lines.count - 2].count < 64)
        func text(_ lines: [String], _ end: String = "\n") -> [UInt8] {
            Array((lines.joined(separator: end) + end).utf8)
        }
        for spelling in [
            text(lines), text(lines, "\r\n"), Array(armored.utf8.dropLast()), text(lines) + Array("\n\n \t\r\n".utf8),
        ] { #expect(try outcome(spelling) == .success("hush"), "\(String(decoding: spelling, as: UTF8.self))") }

        // The format allows this too, but the stock program looks for armor at the very beginning only.
        #expect(try outcome(Array(" \n\t\r\n".utf8) + text(lines), askingAge: false) == .success("hush"))

        func changed(_ change: (inout [String]) -> Void) -> [UInt8] {
            var changed = lines
            change(&changed)
            return text(changed)
        }
        let last = lines.count - 2
        let bad = [
            changed { $0[1] += " " }, changed { $0[1] += "\t" }, changed { $0[0] += " " }, changed { $0[last] += " " },
            changed { $0[1] = " " + $0[1] }, changed { $0.insert("", at: 1) }, changed { $0.insert("", at: 2) },
            changed { $0.insert("", at: last + 1) }, changed { $0[1] += $0.remove(at: 2) },
            changed { $0[1].removeLast(4) }, changed { $0[0] = $0[0].lowercased() }, changed { $0.removeLast() },
            changed { $0[0] = "-----BEGIN AGE ENCRYPTED FILE ----" }, changed { $0.append("x") },
            changed { $0.append($0[0]) }, changed { $0[last + 1] = $0[0] }, changed { $0.insert("Version: 1", at: 1) },
            changed { $0[last] = $0[last].replacing("=", with: "") + "===" }, text(lines, "\r"),
            text(lines) + text(lines),
            Array("x".utf8) + text(lines), text(lines) + [0],
        ]
        for (index, spelling) in bad.enumerated() { #expect(try code(spelling) != nil, "spelling \(index)") }
    }

    @Test func armorCutShortOrChangedOpensNothingElse() throws {
        let armored = AgeArmor.encode(try file(goodStanza()))
        for count in armored.indices.dropLast() {
            #expect(try code(Array(armored[..<count]), askingAge: false) != nil, "\(count) bytes")
        }
        for index in armored.indices {
            var harmed = armored
            harmed[index] ^= 1
            let result = try outcome(harmed, askingAge: false)
            #expect((try? result.get()) == nil || index == armored.count - 1, "byte \(index)")
        }
    }

    // MARK: Writing

    private struct Foreign: AgeRecipient {
        let words: [String]

        func wrap(_ fileKey: SecretValue) -> AgeStanza {
            AgeStanza(type: words[0], arguments: Array(words.dropFirst()), body: [])
        }
    }

    @Test func aRecipientCannotBreakTheHeader() throws {
        for words in [[""], ["a b"], ["a", ""], ["a", "b\n-> X25519"], ["a", "ü"], ["a", "\u{7F}"]] {
            let error = #expect(throws: AgeError.self) {
                _ = try AgeFile.encrypt(SecretValue("x"), to: [identity.recipient, Foreign(words: words)])
            }
            #expect(error?.code == .key)
        }
        let file = try AgeFile.encrypt(SecretValue("hush"), to: [Foreign(words: ["a", "b"]), identity.recipient])
        #expect(try outcome(file) == .success("hush"))
    }
}

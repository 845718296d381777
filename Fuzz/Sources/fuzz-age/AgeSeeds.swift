import FuzzSupport
import KeyoverCore

@testable import KeyoverSealing

/// The inputs to begin with.
enum AgeSeeds {
    /// What every genuine file holds, in any length.
    static func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) } }

    /// A stanza of a type that nobody has.
    static let grease = Array("-> grease some words\nAAAA\n".utf8)

    @Sendable static func all() throws -> [String: [UInt8]] {
        var seeds: [String: [UInt8]] = [:]
        let recipient = AgeKeys.identity.recipient
        for (name, count) in [("empty", 0), ("one", 1), ("some", 300)] {
            let plaintext = SecretValue(copying: pattern(count))
            seeds["file-\(name)"] = input("f", try AgeFile.encrypt(plaintext, to: [recipient]))
            seeds["armored-\(name)"] = input("f", try AgeFile.encrypt(plaintext, to: [recipient], armored: true))
            seeds["passphrase-\(name)"] = input("f", try AgeFile.encrypt(plaintext, to: [AgeKeys.passphrase]))
        }
        let stranger = try X25519Identity.generate().recipient
        seeds["file-three"] = input(
            "f", try AgeFile.encrypt(SecretValue(copying: pattern(20)), to: [stranger, recipient, stranger]))

        seeds["header-grease"] = input("h", grease)
        let full = "-> x\n" + String(repeating: "A", count: 64) + "\n"
        for (name, body) in [("none", "\n"), ("exactly-one", "\n"), ("two", String(repeating: "A", count: 10) + "\n")] {
            seeds["header-lines-\(name)"] = input("h", (name == "none" ? "-> x\n" : full) + body)
        }
        let stanza = try recipient.wrap(AgeKeys.fileKey)
        seeds["header-x25519"] = input("h", bytes(of: stanza))
        seeds["header-x25519-twice"] = input(
            "h", bytes(of: stanza) + grease + bytes(of: try stranger.wrap(AgeKeys.fileKey)))
        seeds["header-scrypt"] = input("h", bytes(of: try AgeKeys.passphrase.wrap(AgeKeys.fileKey)))

        seeds["payload-empty"] = input("p", [1, 0, 0, 1])
        seeds["payload-full"] = input("p", [1, 6, 0, 1])
        seeds["payload-two"] = input("p", [2, 6, 0, 0, 1, 0, 1])
        seeds["payload-three"] = input("p", [3, 6, 0, 0, 6, 0, 0, 5, 0, 1])

        for count in [0, 47, 48, 49, 96] {
            seeds["armor-\(count)"] = input("a", AgeArmor.encode(pattern(count)))
        }
        seeds["armor-spaced"] = input("a", " \r\n" + String(decoding: AgeArmor.encode([1]), as: UTF8.self) + "\t\n")
        for count in 1...4 { seeds["base64-\(count)"] = input("b", StrictBase64.encode(pattern(count), padded: true)) }
        seeds["key-recipient"] = input("k", "\(recipient)")
        seeds["key-identity"] = input("k", AgeKeys.identity.encoded.plain)
        return seeds
    }

    /// A stanza's lines, cut out of a header.
    private static func bytes(of stanza: AgeStanza) -> [UInt8] {
        let header = AgeHeader([stanza], fileKey: AgeKeys.fileKey).bytes
        let version = 22
        let macLine = 48
        return Array(header.dropFirst(version).dropLast(macLine))
    }
}

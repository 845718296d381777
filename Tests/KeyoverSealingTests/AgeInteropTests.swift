import Foundation
import KeyoverCore
import KeyoverSealing
import Testing

/// What Keyover writes the stock `age` program reads, and the other way round.
@Suite struct AgeInteropTests {
    private static let age = "/usr/bin/age"
    private static let keygen = "/usr/bin/age-keygen"

    /// Around the borders between chunks.
    private static let sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 131_073]

    private func plaintext(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) } }

    @Test(arguments: sizes, [false, true])
    func theStockProgramOpensOurFiles(count: Int, armored: Bool) throws {
        let scratch = try Scratch()
        let identities = try (0..<3).map { _ in try X25519Identity.generate() }
        let plaintext = plaintext(count)
        let file = try AgeFile.encrypt(
            SecretValue(copying: plaintext), to: identities.map(\.recipient), armored: armored)
        for identity in identities {
            let key = try scratch.write("key", IdentityFile.text(of: identity).text)
            #expect(try run(Self.age, ["-d", "-i", key], input: file) == plaintext)
            #expect(try AgeFile.decrypt(file, with: [identity]) == SecretValue(copying: plaintext))
        }
    }

    @Test(arguments: sizes, [false, true])
    func weOpenTheStockProgramsFiles(count: Int, armored: Bool) throws {
        let scratch = try Scratch()
        var recipients: [String] = []
        for name in ["a", "b"] {
            _ = try run(Self.keygen, ["-o", "\(scratch.path)/\(name)"])
            let identities = try IdentityFile.read("\(scratch.path)/\(name)")
            let recipient = try #require(identities.first as? X25519Identity).recipient
            let written = try run(Self.keygen, ["-y", "\(scratch.path)/\(name)"])
            #expect(String(decoding: written, as: UTF8.self) == "\(recipient)\n")
            recipients += ["-r", "\(recipient)"]
        }
        let plaintext = plaintext(count)
        let file = try run(Self.age, (armored ? ["-a"] : []) + recipients, input: plaintext)
        for name in ["a", "b"] {
            let identities = try IdentityFile.read("\(scratch.path)/\(name)")
            #expect(try AgeFile.decrypt(file, with: identities) == SecretValue(copying: plaintext))
        }
    }

    @Test(arguments: [false, true])
    func passphrasesWorkBothWays(armored: Bool) throws {
        let scratch = try Scratch()
        let passphrase = try ScryptPassphrase(SecretValue("correct horse battery"), workFactor: 12)
        for count in [0, 1, 65_537] {
            let (plaintext, path) = (plaintext(count), "\(scratch.path)/\(count)")
            let file = try AgeFile.encrypt(SecretValue(copying: plaintext), to: [passphrase], armored: armored)
            try Data(file).write(to: URL(filePath: path + ".ours"))
            #expect(try Self.onTerminal("exec \(Self.age) -d -o \(path).opened \(path).ours", typing: 1))
            // It makes no file for nothing at all.
            let opened = count == 0 ? Data() : try Data(contentsOf: URL(filePath: path + ".opened"))
            #expect(Array(opened) == plaintext)
        }
        let plain = try scratch.write("plain", "whisper")
        let flag = armored ? "-a" : ""
        #expect(try Self.onTerminal("exec \(Self.age) -p \(flag) -o \(scratch.path)/theirs \(plain)", typing: 2))
        let theirs = Array(try Data(contentsOf: URL(filePath: scratch.path + "/theirs")))
        #expect(AgeArmor.isArmored(theirs) == armored)
        #expect(try AgeFile.decrypt(theirs, with: [passphrase]).text == "whisper")
        let stranger = try ScryptPassphrase(SecretValue("wrong horse battery"))
        #expect(throws: AgeError.self) { try AgeFile.decrypt(theirs, with: [stranger]) }
    }

    /// Runs a command on a terminal of its own, where `age` asks for passphrases, and answers so many times.
    private static func onTerminal(_ command: String, typing times: Int) throws -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/script")
        process.arguments = ["-qec", command, "/dev/null"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        var seen = ""
        var typed = 0
        while true {
            let said = output.fileHandleForReading.availableData
            if said.isEmpty { break }
            seen += String(decoding: said, as: UTF8.self)
            let prompts = seen.components(separatedBy: "passphrase").count - 1
            if typed < times, prompts > typed, seen.hasSuffix(": ") {
                typed += 1
                try input.fileHandleForWriting.write(contentsOf: Data("correct horse battery\n".utf8))
            }
        }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}

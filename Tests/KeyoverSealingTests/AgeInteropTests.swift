import Foundation
import KeyoverCore
import KeyoverSealing
import Testing

/// What Keyover writes the stock `age` program reads, and the other way round.
@Suite struct AgeInteropTests {
    private static let age = "/usr/bin/age"
    private static let keygen = "/usr/bin/age-keygen"

    @Test(arguments: [0, 1, 1000, 65_535, 65_536, 65_537, 131_072, 200_000])
    func theStockProgramOpensOurFiles(count: Int) throws {
        let scratch = try Scratch()
        let identity = try X25519Identity.generate()
        let key = try scratch.write("key", IdentityFile.text(of: identity).text)
        let plaintext = SecretValue(count: count) { buffer in
            for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: index &* 7) }
        }
        for armored in [false, true] {
            let file = try AgeFile.encrypt(plaintext, to: [identity.recipient], armored: armored)
            let opened = try run(Self.age, ["-d", "-i", key], input: file)
            #expect(SecretValue(copying: opened) == plaintext)
            #expect(try AgeFile.decrypt(file, with: [identity]) == plaintext)
        }
    }

    @Test func weOpenTheStockProgramsFiles() throws {
        let scratch = try Scratch()
        _ = try run(Self.keygen, ["-o", scratch.path + "/key"])
        let identities = try IdentityFile.read(scratch.path + "/key")
        let recipient = try #require(identities.first as? X25519Identity).recipient
        let plaintext = (0..<150_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        for arguments in [["-r", "\(recipient)"], ["-a", "-r", "\(recipient)"]] {
            let file = try run(Self.age, arguments, input: plaintext)
            #expect(try AgeFile.decrypt(file, with: identities) == SecretValue(copying: plaintext))
        }
        let written = try run(Self.keygen, ["-y", scratch.path + "/key"])
        #expect(String(decoding: written, as: UTF8.self) == "\(recipient)\n")
    }

    @Test func passphrasesWorkBothWays() throws {
        let scratch = try Scratch()
        let passphrase = try ScryptPassphrase(SecretValue("correct horse battery"), workFactor: 12)
        let ours = scratch.path + "/ours.age"
        try Data(try AgeFile.encrypt(SecretValue("hush"), to: [passphrase])).write(to: URL(filePath: ours))
        #expect(try Self.onTerminal("exec \(Self.age) -d -o \(scratch.path)/ours \(ours)", typing: 1))
        #expect(try String(contentsOfFile: scratch.path + "/ours", encoding: .utf8) == "hush")

        let plain = try scratch.write("plain", "whisper")
        #expect(try Self.onTerminal("exec \(Self.age) -p -o \(scratch.path)/theirs.age \(plain)", typing: 2))
        let theirs = Array(try Data(contentsOf: URL(filePath: scratch.path + "/theirs.age")))
        #expect(try AgeFile.decrypt(theirs, with: [passphrase]).text == "whisper")
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

import FoundationEssentials
import Glibc
import Testing

/// Commands that change one setting change nothing else, or nothing at all.
@Suite("Editing the configuration")
struct ConfigurationEditingTests {
    private struct Status: Decodable { let isPinned: Bool }

    /// How a person may have written the file that `init` made.
    enum Form: CaseIterable {
        case asMade, noLastLineEnd, otherLineEnds, quotedKey, spacedColon, comments, explicitDocument

        func write(_ text: String) -> String {
            switch self {
            case .asMade: text
            case .noLastLineEnd: String(text.dropLast())
            case .otherLineEnds: text.replacing("\n", with: "\r\n")
            case .quotedKey: text.replacing("key_commitment:", with: "\"key_commitment\":")
            case .spacedColon: text.replacing("key_commitment:", with: "key_commitment :")
            case .comments: "# key_commitment: mine\n" + text + "# the end"
            case .explicitDocument: "---\n" + text
            }
        }
    }

    @Test("new keys are pinned whatever the file looks like", arguments: Form.allCases)
    func pin(_ form: Form) async throws {
        let home = try KeyoverHome()
        try await home.succeed("init")
        let path = home.path + "/config/keyover/config.yaml"
        let text = form.write(try read(path))
        try home.write(text, to: "config/keyover/config.yaml", mode: 0o644)
        let rekeyed = try await home.run("vault", "rekey")
        #expect(rekeyed.exitCode == 0, "\(rekeyed.errors)")
        #expect(try await home.read(Status.self, "vault", "status").isPinned)
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o644, "who could read it still can")
        let (before, after) = (otherLines(text), otherLines(try read(path)))
        #expect(before == after)
        #expect(!FileManager.default.fileExists(atPath: path + ".new"))
    }

    private func otherLines(_ text: String) -> [String] {
        text.split(separator: "\n").filter { !$0.dropFirst().hasPrefix("ey_commitment") && !$0.hasPrefix("\"key_c") }
            .flatMap { $0.split(separator: "\r\n") }.map(String.init)
            .filter { !$0.hasPrefix("key_commitment") }
    }

    @Test("a file that cannot be edited line by line stops the command before anything has changed")
    func refusals() async throws {
        let home = try KeyoverHome()
        try await home.succeed("init")
        let path = home.path + "/config/keyover/config.yaml"
        let plain = try read(path)
        let settings = plain.split(separator: "\n").filter { !$0.hasPrefix("#") }
        let key = home.files()["data/keyover/vault/vault.key.age"]
        for text in [
            "{" + settings.joined(separator: ", ") + "}\n", settings.map { "  \($0)\n" }.joined(),
            plain.replacing("key_commitment: ", with: "key_commitment:\n  "),
        ] {
            try home.write(text, to: "config/keyover/config.yaml")
            let refused = try await home.run("vault", "rekey")
            #expect(refused.exitCode == 1)
            #expect(refused.errors.contains("hint: write every setting"), "\(refused.errors)")
            #expect(try read(path) == text)
        }
        try home.write(plain, to: "elsewhere.yaml")
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: home.path + "/elsewhere.yaml")
        #expect(try await home.run("vault", "rekey").exitCode == 1)
        #expect(home.files()["data/keyover/vault/vault.key.age"] == key)
        #expect(try await home.run("vault", "verify").exitCode == 0)
    }

    @Test("a command line with quotes is remembered as it is, one with a line end is refused")
    func quotes() async throws {
        let home = try KeyoverHome()
        try await home.succeed("init")
        let store = try home.write("#!/bin/sh\ncat > /dev/null\n", to: "store", mode: 0o700)
        try await home.succeed("vault", "backup", "--after-rotation", "\(store) it's \"here\" # too")
        let shown = try await home.succeed("config")
        #expect(shown.contains("\(store) it's \"here\" # too"))
        let path = home.path + "/config/keyover/config.yaml"
        let before = try read(path)
        let injected = try await home.run("vault", "backup", "--after-rotation", "\(store)\nca_file: /tmp/evil")
        #expect(injected.exitCode == 1)
        #expect(try read(path) == before)
    }

    @Test("a configuration of somebody else is not obeyed", .enabled(if: geteuid() == 0))
    func otherOwner() async throws {
        let home = try KeyoverHome()
        try await home.succeed("init")
        let path = home.path + "/config/keyover/config.yaml"
        #expect(chown(path, 65534, 65534) == 0)
        for arguments in [["get", "billing"], ["vault", "status"]] {
            let refused = try await home.start(arguments).finish()
            #expect(refused.exitCode == 1)
            #expect(refused.errors.contains("it belongs to uid 65534"), "\(refused.errors)")
        }
    }

    private func read(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }
}

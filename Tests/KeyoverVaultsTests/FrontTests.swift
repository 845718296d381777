import Foundation
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing

/// The built front, as scripts start it, beside a stand-in for `keyover-main` that says how it was called.
@Suite struct FrontTests {
    private struct Answer {
        let status: Int32
        let output: String
        let errors: String
    }

    private struct Front {
        let vault: TestVault
        var home: String { vault.scratch.path + "/home" }
        var bin: String { vault.scratch.path + "/bin" }
        var key: String { vault.scratch.path + "/identity" }
        var client: ClientRecord

        init(restored: Restoration? = nil, moved: Relocation? = nil) async throws {
            vault = try await TestVault()
            client = SampleRecords.clientInRotation("billing-sync")
            (client.restored, client.moved) = (restored, moved)
            client.secondary?.value = SecretValue(copying: "it's \"a\" $ecret\\".utf8)
            _ = try await vault.vault.write(client, expecting: nil)
            for folder in [home, bin] {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            }
            let built = try #require(FileManager.default.resolvingExecutable("keyover"))
            let script = vault.scratch.path + "/script"
            try Data("#!/bin/sh\necho main \"$0\" \"$@\"\nexit 42\n".utf8).write(to: URL(filePath: script))
            try setMode(0o755, script)
            // Copied by another process: a child that starts here meanwhile would keep the copies open for writing.
            for (source, name) in [(built, "keyover"), (script, "keyover-main")] {
                let copying = try Process.run(URL(filePath: "/bin/cp"), arguments: [source, "\(bin)/\(name)"])
                copying.waitUntilExit()
                try #require(copying.terminationStatus == 0)
            }
            try IdentityFile.text(of: vault.identity).withUnsafeSecretBytes { try writePrivately(Data($0), to: key) }
        }

        /// The arguments that name vault and identity.
        var place: [String] { ["--vault", "file:" + vault.path, "--identity", key] }

        func run(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Answer {
            let process = Process()
            process.executableURL = URL(filePath: bin + "/keyover")
            process.arguments = arguments
            process.environment = ["HOME": home, "KEYOVER_STATE_DIR": vault.stateDirectory].merging(environment) { $1 }
            let (output, errors) = (Pipe(), Pipe())
            process.standardOutput = output
            process.standardError = errors
            try process.run()
            let said = try output.fileHandleForReading.readToEnd() ?? Data()
            let complained = try errors.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            return Answer(
                status: process.terminationStatus, output: String(decoding: said, as: UTF8.self),
                errors: String(decoding: complained, as: UTF8.self))
        }

        func configure(_ text: String, mode: Int = 0o600) throws {
            let folder = home + "/.config/keyover"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(filePath: folder + "/config.yaml"))
            try setMode(mode, folder + "/config.yaml")
        }
    }

    @Test func theSecretIsAllThatIsPrinted() async throws {
        let front = try await Front()
        let answer = try front.run(front.place + ["get", "billing-sync"])
        #expect(answer.output == "it's \"a\" $ecret\\\n")
        #expect(answer.errors.isEmpty && answer.status == 0)
    }

    @Test func whatCameOutOfABackupIsNotGivenOut() async throws {
        let moment = SampleRecords.moment
        let front = try await Front(restored: Restoration(at: moment, backedUpAt: moment - .hours(1)))
        for arguments in [[], ["--format", "json"], ["--format", "env"], ["--field", "client_id"]] {
            let answer = try front.run(front.place + ["get", "billing-sync"] + arguments)
            #expect(answer.status == 7 && answer.output.isEmpty)
            #expect(answer.errors.contains("error: billing-sync came out of a backup of \(moment - .hours(1))"))
            #expect(answer.errors.contains("hint: run keyover recover billing-sync"))
        }
    }

    @Test func whatHasMovedIsNotGivenOutByItsOldVault() async throws {
        let place = Relocation(
            to: "etcd:https://etcd.example.org", keyCommitment: String(repeating: "0b", count: 32),
            at: SampleRecords.moment)
        let front = try await Front(moved: place)
        let begun = ContinuousClock.now
        let answer = try front.run(front.place + ["get", "billing-sync"])
        #expect(answer.status == 7 && answer.output.isEmpty)
        #expect(answer.errors.contains("error: client billing-sync has moved to another vault: \(place.to)"))
        #expect(answer.errors.contains("hint: run keyover vault join --vault '\(place.to)'"))
        #expect(ContinuousClock.now - begun < .seconds(30), "it waits for its configuration for a moment only")
    }

    @Test(arguments: [
        ("client_secret", "it's \"a\" $ecret\\"), ("client_id", "id-of-secondary"), ("generation", "42"),
        ("slot", "secondary"), ("token_url", "https://login.example.org/oauth/token"),
    ]) func everyFieldCanBeAskedFor(field: String, expected: String) async throws {
        let front = try await Front()
        for arguments in [["--field", field], ["--field=\(field)", "--format", "raw"]] {
            let answer = try front.run(["get"] + arguments + ["billing-sync"] + front.place)
            #expect(answer.output == expected + "\n")
        }
    }

    @Test func jsonIsOneObjectThatParses() async throws {
        let front = try await Front()
        let answer = try front.run(front.place + ["get", "billing-sync", "--format", "json"])
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any])
        #expect(object.keys.sorted() == ["client", "client_id", "client_secret", "generation", "slot", "token_url"])
        #expect(object["client_secret"] as? String == "it's \"a\" $ecret\\")
        #expect(object["generation"] as? Int == 42)
        #expect(answer.output.filter { $0 == "\n" }.count == 1)
    }

    @Test func theShellUnderstandsEnv() async throws {
        let front = try await Front()
        let answer = try front.run(front.place + ["get", "billing-sync", "--format", "env"])
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        shell.arguments = [
            "-c", "eval \"$1\"; printf '%s|%s' \"$KEYOVER_CLIENT_SECRET\" \"$KEYOVER_CLIENT\"", "sh", answer.output,
        ]
        let output = Pipe()
        shell.standardOutput = output
        try shell.run()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        #expect(String(decoding: said, as: UTF8.self) == "it's \"a\" $ecret\\|billing-sync")
    }

    @Test(arguments: [
        [], ["--help"], ["get"], ["get", "--help"], ["get", "a", "b"], ["rotate", "billing-sync"],
        ["get", "billing-sync", "--as", "web-1"], ["--config", "/x", "get", "billing-sync"],
        ["get", "billing-sync", "--field", "password"], ["get", "billing-sync", "--format", "xml"],
        ["get", "../etc"], ["get", "--", "billing-sync"], ["get", "billing-sync", "--field"],
        ["--vault", "etcd://host", "get", "billing-sync"], ["--vault", "a", "--vault", "b", "get", "billing-sync"],
        ["--field", "slot", "get", "billing-sync"], ["-v", "get", "billing-sync"],
    ]) func whatItDoesNotUnderstandGoesToMainAsItCame(arguments: [String]) async throws {
        let front = try await Front()
        let answer = try front.run(arguments)
        let main = "main \(front.bin)/keyover-main"
        #expect(answer.output == (([main] + arguments).joined(separator: " ")) + "\n")
        #expect(answer.status == 42)
    }

    @Test func mainIsFoundBesideTheFrontAndNeverThroughPath() async throws {
        let front = try await Front()
        let hostile = front.vault.scratch.path + "/hostile"
        try FileManager.default.createDirectory(atPath: hostile, withIntermediateDirectories: false)
        try FileManager.default.moveItem(atPath: front.bin + "/keyover-main", toPath: hostile + "/keyover-main")
        let answer = try front.run(["rotate", "billing-sync"], ["PATH": hostile])
        #expect(answer.status == 1)
        #expect(answer.output.isEmpty)
        #expect(answer.errors.hasPrefix("error: cannot start \(front.bin)/keyover-main"))
    }

    @Test(arguments: ["KEYOVER_CONFIG", "KEYOVER_NOVELTY"])
    func aVariableItDoesNotKnowGoesToMain(name: String) async throws {
        let front = try await Front()
        let answer = try front.run(front.place + ["get", "billing-sync"], [name: "x"])
        #expect(answer.status == 42)
    }

    @Test func theConfigurationNamesEverything() async throws {
        let front = try await Front()
        let (id, commitment) = (front.vault.fileVault.id, Hex.encode(front.vault.pin.commitments.first ?? []))
        try front.configure(
            """
            # written by keyover init
            vault: file:\(front.vault.path)
            identity: "\(front.key)"
            vault_id: \(id)  # pinned

            key_commitment: '\(commitment)'
            state_dir: \(front.vault.stateDirectory)
            ca_file: /etc/ssl/ca.pem
            """)
        let answer = try front.run(["get", "billing-sync"], ["KEYOVER_STATE_DIR": ""])
        #expect(answer.output == "it's \"a\" $ecret\\\n", "\(answer)")
    }

    @Test(arguments: [
        "vault: *anchor", "vault: |", "vault:", "vault: [a]", "vault: \"file:\\x2f\"", "\"vault\": file:/a",
        "vault: 'a'b",
        "vault: file:/a\n  continued", "vault: file:/a\nvault: file:/b", "---", "novelty: 1", "identity: relative/path",
        "vault: file:/a: b", "vault: file:/ä", "vault: file:/a\r", "\tvault: file:/a", "{vault: file:/a}", "vault : a",
    ]) func aConfigurationThatIsNotPlainGoesToMain(text: String) async throws {
        let front = try await Front()
        try front.configure(text + "\n")
        #expect(try front.run(front.place + ["get", "billing-sync"]).status == 42)
    }

    @Test func aConfigurationThatOthersMayChangeGoesToMain() async throws {
        let front = try await Front()
        try front.configure("vault: file:\(front.vault.path)\n", mode: 0o666)
        #expect(try front.run(front.place + ["get", "billing-sync"]).status == 42)
    }

    @Test func withoutAnIdentityMainIsToAsk() async throws {
        let front = try await Front()
        #expect(try front.run(["--vault", "file:" + front.vault.path, "get", "billing-sync"]).status == 42)
    }

    @Test func aServicesCredentialIsUsedAndIsWeakerThanAFlag() async throws {
        let front = try await Front()
        let credentials = front.vault.scratch.path + "/credentials"
        try FileManager.default.createDirectory(
            atPath: credentials, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        try FileManager.default.copyItem(atPath: front.key, toPath: credentials + "/keyover.identity")
        let environment = ["CREDENTIALS_DIRECTORY": credentials, "KEYOVER_VAULT": "file:" + front.vault.path]
        #expect(try front.run(["get", "billing-sync"], environment).status == 0)
        // The first that is present decides, and its failure is final.
        let answer = try front.run(["--identity", "/nowhere", "get", "billing-sync"], environment)
        #expect(answer.status == 5)
        #expect(answer.output.isEmpty)
    }

    @Test func failuresHaveTheirCodesAndHints() async throws {
        let front = try await Front()
        let unknown = try front.run(front.place + ["get", "nobody"])
        #expect(unknown.status == 3)
        #expect(unknown.errors == "error: there is no client named nobody\nhint: run keyover client list\n")

        let missing = try front.run(["--vault", "/nowhere", "--identity", front.key, "get", "billing-sync"])
        #expect(missing.status == 5)
        #expect(missing.errors.contains("hint: ") && missing.errors.contains("keyover vault restore"))

        let pinned = try front.run(
            front.place + ["get", "billing-sync"], ["KEYOVER_KEY_COMMITMENT": String(repeating: "00", count: 32)])
        #expect(pinned.status == 5)

        try setMode(0o644, front.key)
        let loose = try front.run(front.place + ["get", "billing-sync"])
        #expect(loose.status == 5)
        #expect(loose.errors.contains("hint: run chmod 600 \(front.key)"))
        for answer in [unknown, missing, pinned, loose] { #expect(answer.output.isEmpty) }
    }

    @Test func anOlderVaultAndAHarmedRecordGiveNoAnswer() async throws {
        let front = try await Front()
        try front.vault.tamper("UPDATE record SET payload = zeroblob(length(payload))")
        let harmed = try front.run(front.place + ["get", "billing-sync"])
        #expect(harmed.status == 5)
        #expect(harmed.output.isEmpty)

        let other = try await Front()
        let mark = HighWaterMark(
            stateDirectory: other.vault.stateDirectory, vaultID: try #require(other.vault.pin.vaultID))
        try mark.raise(to: VaultMark(epoch: 1, counter: 2))
        let older = try other.run(other.place + ["get", "billing-sync"])
        #expect(older.status == 5)
        #expect(older.errors.contains("keyover vault restore --accept-older"))
    }

    @Test func theFrontAndTheVaultReadAlike() async throws {
        let front = try await Front()
        for text in ["a", "b.c", "Z-9"] {
            _ = try await front.vault.vault.write(
                SampleRecords.client(text, secret: "of \(text)", number: UInt64(text.count)), expecting: nil)
        }
        for text in ["a", "b.c", "Z-9"] {
            #expect(try front.run(front.place + ["get", text]).output == "of \(text)\n")
        }
        // Without a log beside it, as after a clean stop of the last writer.
        try front.vault.checkpoint()
        for suffix in ["-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: front.vault.databasePath + suffix)
        }
        #expect(try front.run(front.place + ["get", "a"]).output == "of a\n")
        #expect(try mode(front.vault.databasePath + "-shm") == 0o600)
    }
}

extension FileManager {
    /// An executable that was built together with these tests.
    func resolvingExecutable(_ name: String) -> String? {
        guard let own = try? destinationOfSymbolicLink(atPath: "/proc/self/exe") else { return nil }
        let path = URL(filePath: own).deletingLastPathComponent().path + "/" + name
        return isExecutableFile(atPath: path) ? path : nil
    }
}

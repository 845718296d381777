import FoundationEssentials
import Testing

/// Who can open the vault, as admins change it.
@Suite("Keys of the vault")
struct KeysTests {
    private struct Status: Decodable {
        let state: String
        let keyCommitment: String
        let isPinned: Bool
        let recipients: [String]
        let metadataRecipients: [String]
        let opensValues: Bool
    }

    @Test("a colleague joins, an auditor is let in, both leave, and the configuration follows")
    func life() async throws {
        try await Rehearsal.run { rehearsal in
            let home = rehearsal.home
            let (colleague, auditor) = (try await identity("colleague", home), try await identity("auditor", home))
            let before = try await home.read(Status.self, "vault", "status")
            try await home.succeed("vault", "grant", colleague.recipient, "--reason", "joins")
            try await home.succeed("vault", "grant", "--metadata-only", auditor.recipient)
            let again = try await home.succeed("vault", "grant", auditor.recipient, "--metadata-only")
            #expect(again.contains("Nothing to do"))

            #expect(try await home.run("get", Rehearsal.client, "--identity", colleague.path).exitCode == 0)
            let audited = try await home.run("status", "--identity", auditor.path)
            #expect(audited.exitCode == 0, "\(audited.errors)")
            let refused = try await home.run("get", Rehearsal.client, "--identity", auditor.path)
            #expect(refused.exitCode == 5)
            #expect(refused.output.isEmpty)
            let friend = try await identity("friend", home).recipient
            for arguments in [
                ["vault", "grant", "--metadata-only", friend], ["vault", "rekey"],
                ["client", "remove", Rehearsal.client, "--yes"],
            ] {
                let denied = try await home.start(arguments + ["--identity", auditor.path]).finish()
                #expect(denied.exitCode == 5, "\(arguments)")
            }
            for action in ["vault.rekeying", "client.removed"] {
                #expect(!rehearsal.hasNoted(action), "what was not allowed is not noted as done")
            }
            #expect(try await rehearsal.activeSecret() == rehearsal.firstSecret)

            let rekeyed = try await home.run(
                "vault", "rekey", "--remove", colleague.recipient, "--remove", auditor.recipient, "--yes")
            #expect(rekeyed.exitCode == 0, "\(rekeyed.errors)")
            #expect(rekeyed.output.contains("keyover rotate --all"))
            for gone in [colleague, auditor] {
                let closed = try await home.run("status", "--identity", gone.path)
                #expect(closed.exitCode == 5)
                #expect(closed.errors.contains("hint:"))
            }
            let after = try await home.read(Status.self, "vault", "status")
            #expect(after.keyCommitment != before.keyCommitment)
            #expect(after.isPinned)
            #expect(after.recipients == before.recipients)
            #expect(after.metadataRecipients == [])
            #expect(try await rehearsal.activeSecret() == rehearsal.firstSecret)
            for action in ["vault.granted", "vault.rekeying", "vault.rekeyed"] { #expect(rehearsal.hasNoted(action)) }
            #expect(try await home.run("log", "--verify").exitCode == 0)
            #expect(try await home.run("vault", "verify").exitCode == 0)
        }
    }

    @Test("what would lock the caller out, or names a stranger, changes nothing")
    func refusals() async throws {
        try await Rehearsal.run { rehearsal in
            let home = rehearsal.home
            let before = try await home.read(Status.self, "vault", "status")
            let own = try #require(before.recipients.first)
            let other = try await identity("other", home).recipient
            let lockOut = try await home.run("vault", "rekey", "--add", other, "--remove", own, "--yes")
            #expect(lockOut.exitCode == 1)
            #expect(lockOut.errors.contains("your own identity"))
            let stranger = try await home.run("vault", "rekey", "--remove", other, "--yes")
            #expect(stranger.exitCode == 1)
            let unasked = try await home.run("vault", "rekey", "--add", other, "--remove", own)
            #expect(unasked.exitCode != 0)
            let garbage = try await home.run("vault", "grant", "age1nonsense")
            #expect(garbage.exitCode == 2)
            let elsewhere = try await home.start(
                ["vault", "rekey"], ["KEYOVER_KEY_COMMITMENT": before.keyCommitment]
            ).finish()
            #expect(elsewhere.exitCode == 1)
            #expect(elsewhere.errors.contains("KEYOVER_KEY_COMMITMENT"))
            #expect(try await home.read(Status.self, "vault", "status").keyCommitment == before.keyCommitment)
        }
    }

    @Test("a passphrase is chosen and asked for on a terminal only")
    func passphrase() async throws {
        try await Rehearsal.run { rehearsal in
            let terminal = TerminalSession(home: rehearsal.home)
            let words = "correct horse battery"
            let jobless = try await rehearsal.home.run("vault", "rekey", "--passphrase", "--yes", input: words)
            #expect(jobless.exitCode == 1)
            let different = try terminal.run(["vault", "rekey", "--passphrase", "--yes"], typing: [words, "another"])
            #expect(different.exitCode == 1)
            #expect(different.shown.contains("differ"))
            let chosen = try terminal.run(["vault", "rekey", "--passphrase", "--yes"], typing: [words, words])
            #expect(chosen.exitCode == 0, "\(chosen.shown)")
            #expect(!chosen.shown.contains(words), "what is typed is not shown")

            let opened = try terminal.run(["get", Rehearsal.client], typing: [words])
            #expect(opened.shown.contains(rehearsal.firstSecret), "\(opened.shown)")
            #expect(try terminal.run(["get", Rehearsal.client], typing: ["wrong"]).exitCode == 5)
            let job = try await rehearsal.home.run("get", Rehearsal.client, input: words)
            #expect(job.exitCode == 5)
            #expect(job.output.isEmpty)
        }
    }

    private func identity(_ name: String, _ home: KeyoverHome) async throws -> (path: String, recipient: String) {
        let path = "\(home.path)/\(name).txt"
        _ = try await home.start(program: "/usr/bin/age-keygen", ["-o", path]).finish()
        let shown = try await home.start(program: "/usr/bin/age-keygen", ["-y", path]).finish()
        return (path, shown.output.withoutLineEnd)
    }
}

import Foundation
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing
import VaultServers

/// `keyover vault migrate`: the vault moves, whole and at once, and nobody is given what may be dead.
@Suite struct MigrateTests {
    @Test("before the confirmation nothing has changed, and it may be repeated")
    func unconfirmed() async throws {
        let bench = try await MigrateBench()
        let before = bench.configuration
        let planned = try await bench.migrate("--dry-run", "--format", "json").finish()
        #expect(planned.exitCode == 0, "\(planned.errors)")
        #expect(try decoded(planned).stage == "planned")
        #expect(!bench.home.files().keys.contains { $0.hasPrefix("data/next") || $0.hasSuffix(".migration") })
        for written in [5, 0] {
            let copied = try await bench.migrate("--format", "json").finish()
            #expect(copied.exitCode == 8, "\(copied.errors)")
            let report = try decoded(copied)
            #expect(report.stage == "copied" && report.clients == 3 && report.written == written)
            #expect(bench.configuration == before)
            try await bench.expectWhole()
        }
        let words = try await bench.migrate().finish()
        #expect(words.output.contains("Next: keyover vault migrate --to \(bench.folder) --yes"))
        // Whoever does not want it any more removes the copy and is where he was.
        try bench.home.removeTree("data/next")
        let again = try await bench.migrate().finish()
        #expect(again.exitCode == 8, "\(again.errors)")
        #expect(again.output.contains("(5 records written)"))
    }

    @Test("after it the old vault gives out nothing, says where it went, and other hosts follow")
    func confirmed() async throws {
        let bench = try await MigrateBench()
        let other = try await bench.colleague()
        try await other.succeed("client", "edit", bench.clients[0], "--owner", "somebody")
        let before = try await bench.status()
        let moved = try await bench.migrate("--yes", "--reason", "a new disk").finish()
        #expect(moved.exitCode == 0, "\(moved.errors)")
        #expect(moved.output.contains("colleague") && moved.output.contains("rm -r "))
        try await bench.expectWhole()
        let after = try await bench.status()
        #expect(after.location == bench.folder && after.id == before.id)
        #expect(after.keyCommitment != before.keyCommitment && after.movedTo == nil)
        #expect(after.consumers == before.consumers)
        let log = try await bench.home.succeed("log")
        #expect(log.contains("vault.migrating") && log.contains("vault.migrated"))

        for command in [
            ["get", bench.clients[0]], ["get", bench.clients[0], "--as", "job"], ["token", bench.clients[0]],
        ] {
            let refused = try await other.start(command).finish()
            #expect(refused.exitCode == 7 && refused.output.isEmpty, "\(command): \(refused.errors)")
            #expect(refused.errors.contains(bench.folder))
        }
        for command in [
            ["client", "edit", bench.clients[1], "--owner", "x"], ["client", "remove", bench.clients[1], "--yes"],
            ["rotate", bench.clients[1]],
            ["tenant", "edit", "ops", "--set", "token_url=https://example.org/t", "--yes"],
            ["tenant", "add", "more", "--provider", "manual", "--set", MigrateBench.tokenURL], ["vault", "rekey"],
        ] {
            let refused = try await other.start(command).finish()
            #expect(refused.exitCode == 7, "\(command): \(refused.output)\(refused.errors)")
        }
        let added = try await other.run(
            "client", "add", "late", "--tenant", "ops", "--client-id", "id", "--no-verify", input: "late")
        #expect(added.exitCode == 7, "\(added.errors)")
        let old = try await other.read(MigrateBench.Status.self, "vault", "status")
        #expect(old.movedTo == bench.folder && old.movedRecords == 4)
        let hint = try #require(
            try await other.run("get", bench.clients[0]).errors.split(separator: "\n")
                .first { $0.contains("hint: run keyover ") })
        let words = hint.replacing("hint: run keyover ", with: "").replacing("'", with: "").split(separator: " ")
        let followed = try await other.start(words.map(String.init)).finish()
        #expect(followed.exitCode == 0, "\(followed.errors)")
        #expect(try await other.succeed("get", bench.clients[0]).contains(bench.clients[0]))
        try await other.succeed("client", "edit", bench.clients[1], "--owner", "colleague")
        #expect(try await bench.home.succeed("client", "show", bench.clients[1]).contains("colleague"))
        #expect(try await other.run("log", "--verify").exitCode == 0)
    }

    @Test("said again it changes nothing; back is another migration")
    func repeated() async throws {
        let bench = try await MigrateBench()
        let old = try await bench.status().location
        #expect(try await bench.migrate("--yes").finish().exitCode == 0)
        let settled = bench.configuration
        let again = try await bench.migrate("--yes").finish()
        #expect(again.exitCode == 0 && again.errors.contains("nothing to do"), "\(again.errors)")
        #expect(bench.configuration == settled)
        let back = try await bench.migrate("--yes", to: old).finish()
        #expect(back.exitCode == 1 && back.errors.contains("there is a vault at"), "\(back.errors)")
        try bench.home.removeTree("data/keyover/vault")
        #expect(try await bench.migrate("--yes", to: old).finish().exitCode == 0)
        try await bench.expectWhole()
        #expect(try await bench.status().location == old)
    }

    @Test("what could not be gone through with is refused before anything is made")
    func refusals() async throws {
        let bench = try await MigrateBench()
        let auditor = "\(bench.home.path)/auditor.txt"
        _ = try await bench.home.start(program: "/usr/bin/age-keygen", ["-o", auditor]).finish()
        let shown = try await bench.home.start(program: "/usr/bin/age-keygen", ["-y", auditor]).finish()
        try await bench.home.succeed("vault", "grant", "--metadata-only", shown.output.withoutLineEnd)
        let cases: [(arguments: [String], variables: [String: String], code: Int32, words: String)] = [
            (["--identity", auditor], [:], 5, "metadata only"),
            ([], ["KEYOVER_VAULT": try await bench.status().location], 1, "KEYOVER_VAULT, which cannot be edited"),
            ([], ["KEYOVER_VAULT_USER": "somebody"], 1, "vault_user has to change"),
            (["--to-certificate", "chain.pem"], [:], 1, "vault_certificate_key"),
            (["--to-credential", "missing"], [:], 5, "missing"),
        ]
        for (arguments, variables, code, words) in cases {
            let result = try await bench.home.start(
                ["vault", "migrate", "--yes", "--to", bench.folder] + arguments, variables
            ).finish()
            #expect(result.exitCode == code && result.errors.contains(words), "\(arguments): \(result.errors)")
            #expect(result.errors.contains("hint: "))
        }
        for place in ["floppy:a", "not a url"] {
            #expect(try await bench.migrate("--yes", to: place).finish().exitCode == 1)
        }
        #expect(!bench.home.files().keys.contains { $0.hasPrefix("data/next") || $0.hasSuffix(".migration") })
        try await bench.expectWhole()
        // Those who see metadata only still do afterwards.
        #expect(try await bench.migrate("--yes").finish().exitCode == 0)
        #expect(try await bench.home.run("status", "--identity", auditor).exitCode == 0)
        #expect(try await bench.home.run("get", bench.clients[0], "--identity", auditor).exitCode == 5)
    }

    @Test("a vault that somebody else has put there gets no secret")
    func planted() async throws {
        let bench = try await MigrateBench()
        let status = try await bench.status()
        let identity = try #require(
            try IdentityFile.read(bench.home.path + "/config/keyover/identity.txt").first as? X25519Identity)
        // Whoever knows the id and a public key can make a vault that opens.
        let id = try #require(UUIDv7(status.id))
        let forged = try Keyring.generate(vaultID: id).successor(epoch: 2)
        let url = try #require(VaultURL(bench.folder))
        _ = try await VaultRegistry.create(url, VaultCreation(for: [identity.recipient], keyring: forged))
        for _ in 1...2 {
            let result = try await bench.migrate("--yes").finish()
            #expect(result.exitCode == 1 && result.errors.contains("did not make"), "\(result.errors)")
        }
        let vault = try await VaultRegistry.open(url, VaultAccess(identities: [identity]))
        #expect(try await vault.summaries(ClientRecord.self).isEmpty)
        try await bench.expectWhole()
    }

    @Test("a copy that was begun before the vault was rekeyed is not gone on with")
    func rekeyed() async throws {
        let bench = try await MigrateBench()
        #expect(try await bench.migrate().finish().exitCode == 8)
        try await bench.home.succeed("vault", "rekey")
        let stale = try await bench.migrate("--yes").finish()
        #expect(stale.exitCode == 6 && stale.errors.contains("rekeyed"), "\(stale.errors)")
        try bench.home.removeTree("data/next")
        #expect(try await bench.migrate("--yes").finish().exitCode == 0)
        try await bench.expectWhole()
    }

    private func decoded(_ result: KeyoverProcess.Result) throws -> MigrateBench.Report {
        try JSONDecoder().decode(MigrateBench.Report.self, from: Data(result.output.utf8))
    }
}

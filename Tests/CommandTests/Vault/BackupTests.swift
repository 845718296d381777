import FoundationEssentials
import Glibc
import Testing

/// Backups, as admins make them and get them back.
@Suite("Backups")
struct BackupTests {
    private struct Status: Decodable { let state: String }

    @Test("a backup opens with the stock program, holds the log, and overwrites nothing")
    func make() async throws {
        try await Rehearsal.run { rehearsal in
            let home = rehearsal.home
            let file = home.path + "/backup.age"
            try await home.succeed("vault", "backup", file)
            var status = stat()
            #expect(stat(file, &status) == 0 && status.st_mode & 0o777 == 0o600)
            let again = try await home.run("vault", "backup", file)
            #expect(again.exitCode == 1)
            #expect(again.errors.contains("nothing is overwritten"))
            let identity = home.path + "/config/keyover/identity.txt"
            let listed = try await home.start(
                program: "/bin/sh",
                ["-c", "age -d -i \(identity) \(file) | tar -x && cat client/billing-sync/value.primary"]
            ).finish()
            #expect(listed.output == rehearsal.firstSecret, "\(listed.errors)")
            #expect(home.files().keys.contains { $0.hasPrefix("audit/") && $0.hasSuffix("log.jsonl") })

            let piped = try await home.start(
                program: "/bin/sh",
                ["-c", "'\(try KeyoverHome.built("keyover"))' vault backup - | age -d -i \(identity) | tar -t"]
            ).finish()
            #expect(piped.output.hasSuffix("manifest.json\n"), "\(piped.errors)")
            let nowhere = try await home.run("vault", "backup", home.path + "/no/such/folder/b.age")
            #expect(nowhere.exitCode == 1)
            #expect(nowhere.errors.contains("hint:"))
        }
    }

    @Test("an older backup, a place that is taken and a harmed file are refused with what to type")
    func refusals() async throws {
        try await Rehearsal.run { rehearsal in
            let home = rehearsal.home
            let file = home.path + "/backup.age"
            try await home.succeed("vault", "backup", file)
            try await home.succeed("client", "edit", Rehearsal.client, "--owner", "somebody")
            let older = try await home.run("vault", "restore", file)
            #expect(older.exitCode == 5)
            #expect(older.errors.contains("--accept-older"))
            let taken = try await home.run("vault", "restore", file, "--accept-older")
            #expect(taken.exitCode == 1)
            #expect(taken.errors.contains("--replace"))
            let unasked = try await home.run("vault", "restore", file, "--accept-older", "--replace")
            #expect(unasked.exitCode != 0)
            var bytes = try Data(contentsOf: URL(filePath: file))
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: URL(filePath: file + ".harmed"))
            let harmed = try await home.run(
                "vault", "restore", file + ".harmed", "--accept-older", "--replace", "--yes")
            #expect(harmed.exitCode == 5)
            #expect(try await home.run("vault", "verify").exitCode == 0)
            #expect(try await rehearsal.activeSecret() == rehearsal.firstSecret)
        }
    }

    @Test("a rotation retires nothing before the new secret is in a backup")
    func afterRotation() async throws {
        try await Rehearsal.run { rehearsal in
            let home = rehearsal.home
            let store = try home.write(
                """
                #!/bin/sh
                [ ! -e "$1/broken" ] || { echo "no room left" >&2; exit 3; }
                cat > "$1/new.age" && mv "$1/new.age" "$1/backup-$(date +%s%N).age"
                """, to: "store", mode: 0o700)
            let folder = home.path + "/backups"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            let wrong = try await home.run("vault", "backup", "--after-rotation", "\(home.path)/missing")
            #expect(wrong.exitCode == 1)
            try await home.succeed("vault", "backup", "--after-rotation", "\(store) \(folder)")
            #expect(try backups(folder).count == 1)

            try home.write("", to: "backups/broken")
            let stuck = try await rehearsal.rotate("--wait", "0s").finish()
            #expect(stuck.exitCode != 0)
            let held = try await rehearsal.status()
            #expect(held.stage == "draining", "\(stuck.errors)")
            #expect(try rehearsal.listed().count == 2, "the old secret is still there")

            try FileManager.default.removeItem(atPath: folder + "/broken")
            let done = try await rehearsal.run("resume")
            #expect(done.exitCode == 0, "\(done.errors)")
            try await rehearsal.expectWhole("completed")
            #expect(try backups(folder).count >= 3)
            let newest = try #require(try backups(folder).last)
            let secret = try await home.start(
                program: "/bin/sh",
                ["-c", "age -d -i config/keyover/identity.txt '\(newest)' | tar -xO client/billing-sync/value.primary"]
            ).finish()
            #expect(secret.output == (try await rehearsal.activeSecret()))
            try await home.succeed("vault", "backup", "--after-rotation", "none")
            let count = try backups(folder).count
            try await home.succeed("client", "edit", Rehearsal.client, "--owner", "somebody")
            #expect(try backups(folder).count == count)
        }
    }

    @Test(
        "a change of the keys is made and shown even when its backup cannot be stored, and a backup knows the new keys")
    func afterNewKeys() async throws {
        struct Status: Decodable { let keyCommitment: String }
        try await Rehearsal.run { rehearsal in
            let home = rehearsal.home
            let store = try home.write(
                "#!/bin/sh\n[ ! -e '\(home.path)/broken' ] && cat > '\(home.path)/newest.age'\n", to: "store",
                mode: 0o700)
            try await home.succeed("vault", "backup", "--after-rotation", store)
            try home.write("", to: "broken")
            let before = try await home.read(Status.self, "vault", "status")
            let rekeyed = try await home.run("vault", "rekey")
            #expect(rekeyed.exitCode == 1)
            #expect(rekeyed.errors.contains("the change is made"))
            let after = try await home.read(Status.self, "vault", "status")
            #expect(after.keyCommitment != before.keyCommitment)
            #expect(rekeyed.output.contains(after.keyCommitment))
            try FileManager.default.removeItem(atPath: home.path + "/broken")
            _ = try await home.start(program: "/usr/bin/age-keygen", ["-o", home.path + "/colleague.txt"]).finish()
            let shown = try await home.start(
                program: "/usr/bin/age-keygen", ["-y", home.path + "/colleague.txt"]
            ).finish()
            try await home.succeed("vault", "grant", shown.output.withoutLineEnd)
            let keys = try await home.start(
                program: "/bin/sh", ["-c", "age -d -i colleague.txt newest.age | tar -xO keys"]
            ).finish()
            #expect(keys.output.contains(after.keyCommitment), "\(keys.errors)")
        }
    }

    private func backups(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("backup-") }.sorted()
            .map { "\(folder)/\($0)" }
    }
}

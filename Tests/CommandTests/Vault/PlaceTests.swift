import FoundationEssentials
import Testing

/// A restore somewhere else, or of something else, does no harm to the vault that is in use.
@Suite("Where backups are restored to")
struct PlaceTests {
    @Test("a rehearsal beside the vault in use is refused unless it has a configuration and a state of its own")
    func rehearsal() async throws {
        try await Rehearsal.run { rehearsal in
            let home = rehearsal.home
            let file = home.path + "/backup.age"
            try await home.succeed("vault", "backup", file)
            let identity = home.path + "/config/keyover/identity.txt"
            let elsewhere = ["vault", "restore", file, "--vault", "file:\(home.path)/drill/vault"]
            let apart = elsewhere + ["--config", home.path + "/drill/config.yaml", "--identity", identity]
            try home.write("", to: "drill/nothing")
            for arguments in [elsewhere, apart] {
                let refused = try await home.start(arguments).finish()
                #expect(refused.exitCode == 1)
                #expect(refused.errors.contains("KEYOVER_STATE_DIR"), "\(refused.errors)")
            }
            let ownState = ["KEYOVER_STATE_DIR": home.path + "/drill/state"]
            let restored = try await home.start(apart, ownState).finish()
            #expect(restored.exitCode == 0, "\(restored.errors)")
            #expect(try await rehearsal.activeSecret() == rehearsal.firstSecret)
            #expect(try await home.run("vault", "verify").exitCode == 0)
            #expect(try await home.run("log", "--verify").exitCode == 0)

            // A backup of the same vault in a later epoch, under keys that this configuration does not know.
            let drill = ["--config", home.path + "/drill/config.yaml"]
            let other = home.path + "/other.age"
            for arguments in [["vault", "rekey"], ["vault", "backup", other]] {
                #expect(try await home.start(arguments + drill, ownState).finish().exitCode == 0)
            }
            for options in [[], ["--accept-older"]] {
                let forged = try await home.start(["vault", "restore", other, "--replace", "--yes"] + options).finish()
                #expect(forged.exitCode == 5)
                #expect(forged.errors.contains("configuration pins"), "\(forged.errors)")
            }
            #expect(try await rehearsal.activeSecret() == rehearsal.firstSecret)
        }
    }

    @Test("a vault that is not older is left as it is")
    func notOlder() async throws {
        try await Rehearsal.run { rehearsal in
            let idle = try await rehearsal.home.run("vault", "restore", "--accept-older", "--yes")
            #expect(idle.exitCode == 0)
            #expect(idle.errors.contains("nothing to do"))
            #expect(try await rehearsal.activeSecret() == rehearsal.firstSecret)
        }
    }

    @Test("restores at once wait for each other, and configuration pins the vault that is there")
    func atOnce() async throws {
        try await Rehearsal.run { rehearsal in
            let home = rehearsal.home
            let file = home.path + "/backup.age"
            try await home.succeed("vault", "backup", file)
            let restore = ["vault", "restore", file, "--replace", "--accept-older", "--yes"]
            let runs = [try home.start(restore), try home.start(restore), try home.start(["vault", "rekey"])]
            for (index, run) in runs.enumerated() {
                let result = try await run.finish()
                #expect(result.exitCode == 0 || index == 2, "\(result.errors)")
            }
            #expect(try await home.run("vault", "verify").exitCode == 0)
            #expect(try await home.run("log", "--verify").exitCode == 0)
            #expect(try await home.run("get", Rehearsal.client).exitCode == 7)
        }
    }
}

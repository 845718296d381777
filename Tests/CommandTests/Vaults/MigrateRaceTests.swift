import Glibc
import KeyoverSealing
import Testing
import VaultServers

/// The vault moves while others read, edit, rotate and move it too.
@Suite struct MigrateRaceTests {
    @Test("no request is without its secret, and no edit is lost")
    func underWork() async throws {
        let bench = try await MigrateBench(clients: 8)
        let (home, hasMoved) = (bench.home, Flag())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in bench.clients.prefix(2) {
                group.addTask {
                    while !hasMoved.isSet {
                        let answer = try await home.run("get", name)
                        #expect(answer.output.withoutLineEnd == MigrateBench.secret(of: name), "\(answer.errors)")
                    }
                }
            }
            for name in bench.clients.suffix(2) {
                group.addTask {
                    var (stored, number) = ("", 0)
                    while !hasMoved.isSet {
                        number += 1
                        let edited = try await home.run("client", "edit", name, "--owner", "owner \(number)")
                        if edited.exitCode == 0 { stored = "owner \(number)" }
                        #expect([0, 5, 6, 7].contains(edited.exitCode), "\(edited.errors)")
                    }
                    let shown = try await home.succeed("client", "show", name)
                    #expect(!stored.isEmpty && shown.contains(stored), "\(stored) of \(name): \(shown)")
                }
            }
            group.addTask {
                defer { hasMoved.set() }
                let moved = try await bench.migrate("--yes").finish()
                #expect(moved.exitCode == 0, "\(moved.errors)")
            }
            try await group.waitForAll()
        }
        try await bench.expectWhole()
    }

    @Test("of two at once both end well, and the vault has moved once")
    func twice() async throws {
        let bench = try await MigrateBench()
        let both = [try bench.migrate("--yes"), try bench.migrate("--yes")]
        for process in both {
            let result = try await process.finish()
            #expect(result.exitCode == 0, "\(result.errors)")
        }
        try await bench.expectWhole()
        #expect(try await bench.home.succeed("log").split(separator: "\n").count { $0.contains("vault.migrated") } == 1)
    }

    @Test("a rotation that is at work is waited for, or reported")
    func rotating() async throws {
        try await Rehearsal.run { rehearsal in
            try await Traffic.flows(in: rehearsal) {
                let rotation = try rehearsal.rotate()
                try await eventually("the rotation") { rehearsal.hasNoted("rotation.started") }
                let place = "file:\(rehearsal.home.path)/data/next"
                let migrate = ["vault", "migrate", "--to", place, "--yes"]
                let busy = try await rehearsal.home.start(migrate + ["--wait", "100ms"]).finish()
                #expect(busy.exitCode == 6 && busy.errors.contains(Rehearsal.client), "\(busy.errors)")
                let moved = try await rehearsal.home.start(migrate).finish()
                #expect(moved.exitCode == 0, "\(moved.errors)")
                let rotated = try await rotation.finish()
                #expect(rotated.exitCode == 0, "\(rotated.errors)")
                try await rehearsal.expectWhole("completed")
            }
        }
    }

    @Test(
        "what a killed rotation left goes on at the new place", arguments: [Moment.mintUnanswered, .draining, .proving])
    func killed(moment: Moment) async throws {
        try await Rehearsal.killed(at: moment) { rehearsal in
            let moved = try await rehearsal.home.run(
                "vault", "migrate", "--to", "file:\(rehearsal.home.path)/data/next", "--yes")
            #expect(moved.exitCode == 0, "\(moved.errors)")
            let result = try await rehearsal.run("resume")
            #expect(result.exitCode == 0, "\(result.errors)")
            try await rehearsal.expectWhole("completed")
        }
    }

    @Test("through every kind of place and back")
    func everywhere() async throws {
        try await withPlaces(VaultServers.all.filter { $0.scheme != "file" }[...], []) { places in
            let surroundings = places.reduce(into: [:]) { all, place in
                all.merge(place.environment.filter { !$0.key.hasPrefix("KEYOVER_") }) { $1 }
            }
            let bench = try await MigrateBench(surroundings)
            for place in places {
                let moved = try await bench.home.start(
                    ["vault", "migrate", "--yes"] + MigrateBench.options(to: place)
                ).finish()
                #expect(moved.exitCode == 0, "to \(place.url): \(moved.errors)")
                #expect(try await bench.status().location == place.url.description)
                try await bench.expectWhole()
            }
            let last = try await bench.migrate("--yes").finish()
            #expect(last.exitCode == 0, "\(last.errors)")
            try await bench.expectWhole()
            #expect(!bench.configuration.contains("vault_user") && !bench.configuration.contains("vault_credential"))
        }
    }

    /// Carries the body out while all servers are up.
    private func withPlaces(
        _ servers: ArraySlice<any VaultServer.Type>, _ places: [VaultPlace], _ body: ([VaultPlace]) async throws -> Void
    ) async throws {
        guard let next = servers.first else { return try await body(places) }
        try await withVaultServer(next.scheme) { server in
            try await withPlaces(servers.dropFirst(), places + [try await server.place()], body)
        }
    }
}

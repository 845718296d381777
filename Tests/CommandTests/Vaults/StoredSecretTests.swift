import FoundationEssentials
import Glibc
import KeyoverCore
import KeyoverSandbox
import Testing
import VaultServers

/// Every backend on its real server, under the real program.
@Suite("Secrets where vaults are stored")
struct StoredSecretTests {
    @Test(
        "no secret is found in what a backend keeps, nor in a core dump, and a crash there loses nothing",
        arguments: ServerRun.schemes)
    func storage(scheme: String) async throws {
        try await ServerRun.with(scheme) { server, place in
            let canary = Needles.canary("stored")
            var needles = Needles()
            needles.add("the first secret", canary)
            try await Rehearsal.run(Rehearsal.Plan(firstSecret: canary, vault: place)) { rehearsal in
                needles.add("the admin token", rehearsal.server.adminToken)
                let process = try rehearsal.rotate()
                try await Moment.draining.arrive(process, in: rehearsal)
                try Self.expectNoCoreDump(of: process)
                process.send(SIGABRT)
                let crash = try await process.finish()
                #expect(crash.ending == .killed(by: SIGABRT))
                #expect(!crash.errors.contains("crashed"), "\(crash.errors)")
                needles.add("the new secret", try await rehearsal.activeSecret())
                Self.expectNothing(of: needles, in: place, "midway")
                for (name, data) in rehearsal.home.files() {
                    #expect(!name.contains("core"))
                    #expect(needles.found(in: data).isEmpty, "\(name)")
                }
                let resumed = try await rehearsal.run("resume")
                #expect(resumed.exitCode == 0, "\(resumed.errors)")
                try await rehearsal.expectWhole("completed")
                Self.expectNothing(of: needles, in: place, "at the end")
                // What a server had in memory only is on its disk, or nowhere, when it is gone.
                guard let mortal = server as? any MortalVaultServer else { return }
                try await mortal.kill()
                Self.expectNothing(of: needles, in: place, "when the server is gone")
            }
        }
    }

    private static func expectNothing(
        of needles: Needles, in place: VaultPlace, _ moment: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let files = place.stored()
        #expect(files.values.contains { !$0.isEmpty }, "nothing is stored at all", sourceLocation: sourceLocation)
        for (name, data) in files {
            #expect(needles.found(in: data).isEmpty, "\(name), \(moment)", sourceLocation: sourceLocation)
        }
    }

    private static func expectNoCoreDump(of process: KeyoverProcess) throws {
        let limits = FileManager.default.contents(atPath: "/proc/\(process.pid)/limits") ?? Data()
        let line = String(decoding: limits, as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix("Max core file size") }
        #expect(line?.split(whereSeparator: \.isWhitespace).dropFirst(4).prefix(2) == ["0", "0"])
    }
}

import FoundationEssentials
import Glibc
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing
import VaultServers

/// The demonstration with its vault on each real server, below a vault that is somebody's.
@Suite("Demonstration on servers")
struct DemonstrationOnServersTests {
    private struct Report: Decodable {
        let requests: Int
        let failures: Int
        let oldSecretRefused: Bool
        let auditVerified: Bool
        let outcome: String
        let backend: String
    }

    @Test(
        "it rotates under traffic without a failed request, leaves nothing behind, and touches no vault",
        arguments: ServerRun.remoteSchemes)
    func rotates(scheme: String) async throws {
        try await ServerRun.with(scheme) { _, place in
            let neighbour = try await Neighbour(place)
            let home = try KeyoverHome { _ in place.environment }
            let result = try await home.start([
                "demo", "--vault", place.url.description, "--format", "json", "--requests", "1000", "--workers", "8",
            ]).finish(within: .seconds(180))
            #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
            let last = try #require(result.output.split(separator: "\n").last)
            let report = try JSONDecoder().decode(Report.self, from: Data(last.utf8))
            #expect(report.requests >= 1000)
            #expect(report.failures == 0, "\(result.output)")
            #expect(report.oldSecretRefused && report.auditVerified)
            #expect(report.outcome == "completed" && report.backend == scheme)
            try await Self.expectNothingLeft(of: result.errors, place, in: home)
            try await neighbour.expectUntouched()
        }
    }

    @Test("interrupted, it leaves nothing behind either", arguments: ServerRun.remoteSchemes)
    func interrupted(scheme: String) async throws {
        try await ServerRun.with(scheme) { _, place in
            let neighbour = try await Neighbour(place)
            let home = try KeyoverHome { _ in place.environment }
            let process = try home.start([
                "demo", "--vault", place.url.description, "--requests", "1000000", "--workers", "4",
            ])
            try await eventually("the rotation") {
                process.hasEnded || process.errorsSoFar.contains(" staged ")
            }
            process.send(SIGINT)
            let result = try await process.finish(within: .seconds(60))
            #expect(result.exitCode != 0 && result.ending != .killed(by: SIGINT), "\(result)")
            try await Self.expectNothingLeft(of: result.errors, place, in: home)
            try await neighbour.expectUntouched()
        }
    }

    @Test("a configured vault, and one in a file, is none to demonstrate in")
    func elsewhere() async throws {
        let home = try KeyoverHome()
        let result = try await home.run("demo", "--vault", "file:\(home.path)/vault")
        #expect(result.exitCode == 2, "\(result)")
        #expect(result.errors.contains("leave --vault out"))
        #expect(!FileManager.default.fileExists(atPath: home.path + "/vault"))
        let configured = try await home.start(
            ["demo", "--requests", "20", "--workers", "2", "--format", "json"],
            ["KEYOVER_VAULT": "etcd:https://nowhere.invalid:2379"]
        ).finish()
        #expect(configured.exitCode == 0, "\(configured.errors)")
        #expect(configured.output.contains("\"backend\":\"file\""))
    }

    private static func expectNothingLeft(
        of said: String, _ place: VaultPlace, in home: KeyoverHome, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let line = said.split(separator: "\n").first { $0.hasPrefix("the vault is ") }
        // A comma ends the URL.
        let word = line?.dropFirst("the vault is ".count).split(separator: " ").first ?? ""
        let url = try #require(VaultURL(String(word.dropLast())), "\(said)", sourceLocation: sourceLocation)
        #expect(url != place.url, sourceLocation: sourceLocation)
        let left = try await ServerRun.entries(at: url, place.reach)
        #expect(left == 0, "\(left) entries are left at \(url)", sourceLocation: sourceLocation)
        let files = try FileManager.default.contentsOfDirectory(atPath: home.path + "/tmp")
        #expect(files.isEmpty, sourceLocation: sourceLocation)
    }
}

/// A vault that was there before.
private struct Neighbour {
    private let vault: any Vault
    private let client: ClientRecord
    private let revision: Revision
    private let place: VaultPlace
    private let entries: Int

    init(_ place: VaultPlace) async throws {
        self.place = place
        let identity = try X25519Identity.generate()
        let pin = try await VaultRegistry.create(
            place.url, VaultCreation(for: [identity.recipient], reach: place.reach))
        vault = try await VaultRegistry.open(
            place.url, VaultAccess(identities: [identity], pin: pin, reach: place.reach))
        client = SampleRecords.client("billing-sync")
        revision = try await vault.write(client, expecting: nil)
        entries = try await ServerRun.entries(at: place.url, place.reach)
    }

    func expectUntouched(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let found = try await vault.read(client.name)
        #expect(found?.record == client && found?.revision == revision, sourceLocation: sourceLocation)
        #expect(try await ServerRun.entries(at: place.url, place.reach) == entries, sourceLocation: sourceLocation)
    }
}

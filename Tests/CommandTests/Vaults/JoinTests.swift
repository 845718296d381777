import Foundation
import KeyoverSealing
import Testing
import VaultServers

/// `keyover vault join`: a further host comes to a vault, and to no other one.
@Suite struct JoinTests {
    private let tokenURL = "token_url=https://login.example.com/token"

    private struct Status: Decodable {
        let id: String
        let keyCommitment: String
        let location: String
    }

    private struct Answer: Decodable {
        let joined: Bool
        let recipient: String
    }

    @Test(arguments: VaultServers.all.map { $0.scheme })
    func aSecondHostComesToTheVaultOnceItIsGranted(scheme: String) async throws {
        try await withVaultServer(scheme) { server in
            let place = try await server.place()
            let first = try KeyoverHome { _ in place.environment }
            try await first.succeed("init", "--vault", place.url.description)
            try await first.succeed("tenant", "add", "hand", "--provider", "manual", "--set", tokenURL)
            let status = try await first.read(Status.self, "vault", "status")
            let join = [
                "vault", "join", "--vault", place.url.description, "--vault-id", status.id, "--key-commitment",
                status.keyCommitment, "--format", "json",
            ]

            let second = try KeyoverHome { _ in place.environment }
            let stranger = try await second.start(join).finish()
            #expect(stranger.exitCode == 8, "\(stranger.errors)")
            let asked = try JSONDecoder().decode(Answer.self, from: Data(stranger.output.utf8))
            #expect(!asked.joined)
            #expect(!FileManager.default.fileExists(atPath: second.path + "/config/keyover/config.yaml"))

            try await first.succeed("vault", "grant", asked.recipient)
            for _ in 1...2 {
                let guest = try await second.start(join).finish()
                #expect(guest.exitCode == 0, "\(guest.errors)")
                let answer = try JSONDecoder().decode(Answer.self, from: Data(guest.output.utf8))
                #expect(answer.joined && answer.recipient == asked.recipient)
            }
            #expect(try await second.succeed("tenant", "list").contains("hand"))
            try await second.succeed("tenant", "add", "other", "--provider", "manual", "--set", tokenURL)
            #expect(try await first.succeed("tenant", "list").contains("other"))
        }
    }

    @Test func whatIsNotThePinnedVaultIsNotJoined() async throws {
        let first = try KeyoverHome()
        try await first.succeed("init")
        let status = try await first.read(Status.self, "vault", "status")
        let second = try KeyoverHome()
        let forged = String(repeating: "0", count: 64)
        try await second.succeed("vault", "join", "--help")
        let locked = try await second.run(
            "vault", "join", "--vault", status.location, "--vault-id", status.id, "--key-commitment", forged)
        #expect(locked.exitCode == 8, "who is not granted cannot know yet: \(locked.errors)")
        let words = locked.output.split(whereSeparator: \.isWhitespace)
        let recipient = try #require(words.first { $0.hasPrefix("age1") })
        try await first.succeed("vault", "grant", String(recipient))
        let refused = try await second.run(
            "vault", "join", "--vault", status.location, "--vault-id", status.id, "--key-commitment", forged)
        #expect(refused.exitCode == 5)
        #expect(refused.errors.contains("not the ones that configuration pins"))
        let other = try await second.run(
            "vault", "join", "--vault", status.location, "--vault-id", "0190a6b0-0000-7000-8000-000000000000",
            "--key-commitment", status.keyCommitment)
        #expect(other.exitCode == 5)
        #expect(!FileManager.default.fileExists(atPath: second.path + "/config/keyover/config.yaml"))
    }

    @Test(arguments: [["--vault-id"], ["--key-commitment"], ["--vault"], []])
    func whatIsTrustedHasToBeSaid(said: [String]) async throws {
        let home = try KeyoverHome()
        let values = [
            "--vault": "file:/nowhere", "--vault-id": "0190a6b0-0000-7000-8000-000000000000",
            "--key-commitment": String(repeating: "0", count: 64),
        ]
        let result = try await home.start(["vault", "join"] + said.flatMap { [$0, values[$0] ?? ""] }).finish()
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("keyover vault status"))
        #expect(!FileManager.default.fileExists(atPath: home.path + "/config/keyover"))
    }

    @Test func aConfigurationOfAnotherVaultStays() async throws {
        let (first, second) = (try KeyoverHome(), try KeyoverHome())
        for home in [first, second] { try await home.succeed("init") }
        let status = try await first.read(Status.self, "vault", "status")
        let result = try await second.run(
            "vault", "join", "--vault", status.location, "--vault-id", status.id, "--key-commitment",
            status.keyCommitment)
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("there is a configuration"))
    }
}

/// Runs with the server of a scheme, which is stopped however that ends.
func withVaultServer(_ scheme: String, _ body: (any VaultServer) async throws -> Void) async throws {
    let kind = try #require(VaultServers.server(for: scheme), "nothing starts a server for \(scheme)")
    let server = try await kind.start()
    do {
        try await body(server)
    } catch {
        await server.stop()
        throw error
    }
    await server.stop()
}

import Foundation
import KeyoverSealing
import KeyoverVaults
import Testing
import VaultServers

/// A home with a vault that is going to move, and what is asked of it before and after.
struct MigrateBench {
    static let tokenURL = "token_url=https://login.example.org/token"

    let home: KeyoverHome
    let clients: [String]

    struct Status: Decodable {
        let id: String
        let location: String
        let keyCommitment: String
        let records: [String: Int]
        let consumers: Int
        let movedTo: String?
        let movedRecords: Int
    }

    struct Report: Decodable {
        let stage: String
        let clients: Int
        let written: Int
        let hosts: [String]
        let keyCommitment: String?
    }

    /// A home with a file vault and so many clients in it, one of which has a consumer.
    init(clients count: Int = 3, _ environment: [String: String] = [:]) async throws {
        home = try KeyoverHome { _ in environment }
        clients = (1...count).map { "client-\($0)" }
        try await home.succeed("init")
        try await home.succeed("tenant", "add", "ops", "--provider", "manual", "--set", Self.tokenURL)
        for name in clients {
            try await home.succeed(
                "client", "add", name, "--tenant", "ops", "--client-id", "id", "--no-verify",
                input: Self.secret(of: name))
        }
        try await home.succeed("get", clients[0], "--as", "web-1")
    }

    static func secret(of client: String) -> String { "the secret of \(client)" }

    /// A place for a vault in a folder of the home.
    var folder: String { "file:\(home.path)/data/next" }

    /// The options that name a place and how it is reached.
    static func options(to place: VaultPlace) -> [String] {
        let names = [
            "KEYOVER_VAULT_USER": "--to-user", "KEYOVER_VAULT_CREDENTIAL": "--to-credential",
            "KEYOVER_VAULT_CERTIFICATE": "--to-certificate", "KEYOVER_VAULT_CERTIFICATE_KEY": "--to-certificate-key",
            "KEYOVER_CA_FILE": "--to-ca-file",
        ]
        return ["--to", place.url.description]
            + place.environment.sorted { $0.key < $1.key }.flatMap { name, value in
                names[name].map { [$0, value] } ?? []
            }
    }

    func migrate(_ arguments: String..., to place: String? = nil) throws -> KeyoverProcess {
        try home.start(["vault", "migrate", "--to", place ?? folder] + arguments)
    }

    func status() async throws -> Status { try await home.read(Status.self, "vault", "status") }

    var configuration: String {
        String(decoding: home.files()["config/keyover/config.yaml"] ?? Data(), as: UTF8.self)
    }

    /// Expects every secret to be given out, and log and vault to be whole.
    func expectWhole(_ sourceLocation: SourceLocation = #_sourceLocation) async throws {
        for name in clients {
            let answer = try await home.run("get", name)
            #expect(
                answer.output.withoutLineEnd == Self.secret(of: name), "\(answer.errors)",
                sourceLocation: sourceLocation)
        }
        for check in [["vault", "verify"], ["log", "--verify"]] {
            let result = try await home.start(check).finish()
            #expect(result.exitCode == 0, "\(check): \(result.output)\(result.errors)", sourceLocation: sourceLocation)
        }
    }

    /// Another home that uses the same vault, as another host would.
    func colleague() async throws -> KeyoverHome {
        let status = try await status()
        let other = try KeyoverHome { _ in ["KEYOVER_HOST": "colleague"] }
        let join = [
            "vault", "join", "--vault", status.location, "--vault-id", status.id, "--key-commitment",
            status.keyCommitment,
        ]
        let asked = try await other.start(join).finish()
        let recipient = try #require(
            asked.output.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix("age1") }, "\(asked.errors)")
        try await home.succeed("vault", "grant", String(recipient))
        let joined = try await other.start(join).finish()
        #expect(joined.exitCode == 0, "\(joined.errors)")
        return other
    }
}

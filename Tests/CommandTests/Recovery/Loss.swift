import AsyncHTTPClient
import FoundationEssentials
import KeyoverSandbox
import NIOCore
import NIOHTTP1

/// Losing the machine: what is left is a backup, the identity, and the provider as it has become.
extension Rehearsal {
    /// Makes a backup and answers where it lies.
    func backUp() async throws -> String {
        let file = home.path + "/backup.age"
        try await home.succeed("vault", "backup", file)
        return file
    }

    /// Loses vault, log and marks, and restores the backup.
    func lose(andRestore backup: String) async throws {
        for folder in ["/data/keyover/vault", "/state/keyover"] {
            try FileManager.default.removeItem(atPath: home.path + folder)
        }
        try await home.succeed("vault", "restore", backup)
    }

    /// Rotates so often, each time to the end.
    func rotate(times: Int) async throws {
        for _ in 0..<times {
            let result = try await rotate().finish()
            guard result.exitCode == 0 else { throw TestFailure("rotate: \(result.errors)") }
        }
    }

    /// What `recover NAME --format json` says of the one client.
    struct Recovered: Decodable {
        let outcome: String
        let exitCode: Int
        let next: String?
        let waitingFor: String?
        let instructions: [String]?
    }

    func recovered(_ more: String...) async throws -> Recovered {
        let result = try await home.start(["recover", Self.client, "--format", "json"] + more).finish()
        guard let report = try JSONDecoder().decode([Recovered].self, from: Data(result.output.utf8)).first else {
            throw TestFailure("recover: \(result.errors)")
        }
        return report
    }

    /// Does what an admin does at the provider's console; answers the status and the value of an added secret.
    @discardableResult
    func atConsole(_ method: String, _ path: String) async throws -> (status: UInt, secret: String?) {
        struct Added: Decodable { let secret: String? }
        var request = HTTPClientRequest(url: server.baseURL + "/admin/clients/" + path)
        request.method = method == "DELETE" ? .DELETE : .POST
        request.headers.add(name: "Authorization", value: "Bearer \(server.adminToken)")
        if method == "POST" {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: "{}"))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let body = try await response.body.collect(upTo: 1 << 20)
        return (response.status.code, try? JSONDecoder().decode(Added.self, from: Data(body.readableBytesView)).secret)
    }
}

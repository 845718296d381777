import Foundation
import KeyoverSandbox
import Synchronization
import Testing

/// Time that moves only when a test says so.
final class ManualClock: Sendable {
    private let instant = Mutex(SandboxInstant(milliseconds: 1_800_000_000_000))

    var now: SandboxInstant { instant.withLock { $0 } }

    func advance(bySeconds seconds: Int) {
        instant.withLock { $0 = $0.advanced(bySeconds: seconds) }
    }
}

/// Talks to one sandbox as clients and administrators do.
struct Caller: Sendable {
    let server: SandboxServer
    let clock: ManualClock

    func send(
        _ method: String, _ path: String, _ headers: [String: String] = [:], body: String = ""
    ) async throws -> RawAnswer {
        let host = server.baseURL.dropFirst("http://".count)
        var lines = ["\(method) \(path) HTTP/1.1"]
        var headers = headers
        headers["Host"] = headers["Host"] ?? String(host)
        headers["Connection"] = "close"
        if !body.isEmpty { headers["Content-Length"] = headers["Content-Length"] ?? String(body.utf8.count) }
        lines += headers.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        return try await RawHTTP.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body, toPort: server.port)
    }

    func admin(_ method: String, _ path: String, _ json: String = "") async throws -> RawAnswer {
        try await send(method, "/admin" + path, ["Authorization": "Bearer \(server.adminToken)"], body: json)
    }

    func form(_ path: String, _ body: String, authorization: String? = nil) async throws -> RawAnswer {
        var headers = ["Content-Type": "application/x-www-form-urlencoded"]
        headers["Authorization"] = authorization
        return try await send("POST", path, headers, body: body)
    }

    /// A token exchange with HTTP Basic.
    func exchange(_ clientID: String, _ secret: String, more: String = "") async throws -> RawAnswer {
        try await form("/oauth/token", "grant_type=client_credentials" + more, authorization: basic(clientID, secret))
    }

    /// A token that is expected to be granted.
    func token(_ clientID: String, _ secret: String) async throws -> String {
        let answer = try await exchange(clientID, secret)
        #expect(answer.status == 200)
        return try #require(answer.member("access_token") as? String)
    }

    func resource(_ token: String, query: String = "") async throws -> RawAnswer {
        try await send("GET", "/resource" + query, ["Authorization": "Bearer \(token)"])
    }

    /// Adds a secret and returns its id and value.
    func addSecret(_ clientID: String) async throws -> (id: String, value: String) {
        let answer = try await admin("POST", "/clients/\(clientID)/secrets")
        #expect(answer.status == 201)
        return (try #require(answer.member("id") as? String), try #require(answer.member("secret") as? String))
    }

    func secretIDs(_ clientID: String) async throws -> [String] {
        let answer = try await admin("GET", "/clients/\(clientID)/secrets")
        let secrets = try #require(answer.member("secrets") as? [[String: Any]])
        return secrets.compactMap { $0["id"] as? String }
    }
}

extension RawAnswer {
    /// The body as a JSON object, empty where it is none.
    var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: Any] ?? [:]
    }

    func member(_ name: String) -> Any? { json[name] }

    var error: String? { member("error") as? String }
}

func basic(_ clientID: String, _ secret: String) -> String {
    "Basic " + Data("\(formEncoded(clientID)):\(formEncoded(secret))".utf8).base64EncodedString()
}

func formEncoded(_ text: String) -> String {
    let unreserved = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
    return text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
}

/// Runs a test against a sandbox of its own on a clock that stands still.
func withSandbox(
    _ profile: SandboxProfile = .calm, _ test: (Caller) async throws -> Void
) async throws {
    let clock = ManualClock()
    var configuration = SandboxConfiguration(profile: profile)
    configuration.clock = { clock.now }
    let server = try await SandboxServer.start(configuration)
    do {
        try await test(Caller(server: server, clock: clock))
    } catch {
        await server.stop()
        throw error
    }
    await server.stop()
}

/// The calm profile with a change.
func calm(_ change: (inout SandboxProfile) -> Void) -> SandboxProfile {
    var profile = SandboxProfile.calm
    change(&profile)
    return profile
}

import AsyncHTTPClient
import FoundationEssentials
import KeyoverSandbox
import NIOCore
import NIOHTTP1

/// What an application does with a secret: exchanges it for a token and calls the protected resource.
struct Consumer: Sendable {
    /// What became of it.
    enum Outcome: Equatable, Sendable {
        /// The resource was read; the sandbox says with which secret the token was got.
        case granted(secretID: String)
        /// Somebody said no.
        case refused(String)

        var isRefused: Bool { if case .refused = self { true } else { false } }
    }

    let server: SandboxServer
    var client = Rehearsal.client

    func use(_ secret: String) async throws -> Outcome {
        var request = HTTPClientRequest(url: server.baseURL + "/oauth/token")
        request.method = .POST
        let credentials = Data("\(client):\(Self.formEncoded(secret))".utf8).base64EncodedString()
        request.headers.add(name: "Authorization", value: "Basic \(credentials)")
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.body = .bytes(ByteBuffer(string: "grant_type=client_credentials&scope=read"))
        let (status, body) = try await send(request)
        guard status == 200 else { return .refused("the exchange was answered \(status)") }
        let token = try JSONDecoder().decode(Grant.self, from: body).accessToken

        var call = HTTPClientRequest(url: server.baseURL + "/resource")
        call.headers.add(name: "Authorization", value: "Bearer \(token)")
        let (called, answer) = try await send(call)
        guard called == 200 else { return .refused("the resource answered \(called)") }
        return .granted(secretID: try JSONDecoder().decode(Access.self, from: answer).secretID)
    }

    private func send(_ request: HTTPClientRequest) async throws -> (status: UInt, body: Data) {
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let body = try await response.body.collect(upTo: 1 << 20)
        return (response.status.code, Data(body.readableBytesView))
    }

    /// As RFC 6749 section 2.3.1 wants it.
    static func formEncoded(_ text: String) -> String {
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.".utf8)
        return text.utf8.map { byte in
            if plain.contains(byte) { return String(Unicode.Scalar(byte)) }
            return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    private struct Grant: Decodable {
        let accessToken: String

        private enum CodingKeys: String, CodingKey { case accessToken = "access_token" }
    }

    private struct Access: Decodable {
        let secretID: String

        private enum CodingKeys: String, CodingKey { case secretID = "secret_id" }
    }
}

import HTTPTypes
import Hummingbird

/// The protected resource: whoever brings a live token may read it (RFC 6750).
struct ResourceEndpoint: Sendable {
    let sandbox: Sandbox

    /// `GET /resource`, or `GET /resource?scope=NAME` to demand that scope.
    @Sendable func read(_ request: Request, _ context: SandboxContext) async throws -> Response {
        let scope = request.uri.queryParameters["scope"].map(String.init)
        guard let header = request.headers[.authorization] else {
            return Response(status: .unauthorized, headers: [.wwwAuthenticate: Self.challenge()])
        }
        let parts = header.split(separator: " ", maxSplits: 1)
        let verdict: ResourceVerdict =
            if parts.count == 2, parts[0].lowercased() == "bearer" {
                sandbox.decide { state, now in
                    state.judgeResource(bearer: String(parts[1]), requiredScope: scope, at: now)
                }
            } else {
                .invalidToken
            }
        switch verdict {
        case .granted(let clientID, let token):
            return .json(
                .ok, "{\"client_id\":\(clientID.quotedAsJSON),\"secret_id\":\(token.secretID.quotedAsJSON)}")
        case .invalidToken:
            let challenge = Self.challenge("error=\"invalid_token\"")
            return .error(
                .unauthorized, "invalid_token", "the token is unknown, expired or revoked",
                headers: [.wwwAuthenticate: challenge])
        case .insufficientScope:
            let challenge = Self.challenge("error=\"insufficient_scope\"", "scope=\"\(Self.safe(scope ?? ""))\"")
            return .error(
                .forbidden, "insufficient_scope", "the token lacks the scope that is needed",
                headers: [.wwwAuthenticate: challenge])
        }
    }

    private static func challenge(_ attributes: String...) -> String {
        "Bearer " + (["realm=\"keyover-sandbox\""] + attributes).joined(separator: ", ")
    }

    /// Scope names come from the request; only what a scope may consist of goes back into a header.
    private static func safe(_ scope: String) -> String {
        String(scope.unicodeScalars.filter { ("\u{21}"..."\u{7E}").contains($0) && $0 != "\"" && $0 != "\\" })
    }
}

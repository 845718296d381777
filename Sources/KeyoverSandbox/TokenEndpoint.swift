import HTTPTypes
import Hummingbird
import NIOCore

/// The endpoints for clients: token exchange, introspection (RFC 7662) and revocation (RFC 7009).
struct TokenEndpoint: Sendable {
    /// No honest request comes near this.
    static let bodyLimit = 16 << 10

    let sandbox: Sandbox

    /// `POST /oauth/token`, with the grant `client_credentials`.
    @Sendable func exchange(_ request: Request, _ context: SandboxContext) async throws -> Response {
        try await answer(request) { parameters, credentials throws(OAuthRefusal) in
            guard let grantType = parameters["grant_type"] else { throw .invalidRequest("grant_type is missing") }
            guard grantType == "client_credentials" else {
                throw .status(.badRequest, "unsupported_grant_type", "only client_credentials is supported")
            }
            let grant = try decide { state, now throws(ExchangeRefusal) in
                try state.exchange(credentials, scope: parameters["scope"], at: now)
            }
            return .json(.ok, grant.json)
        }
    }

    /// `POST /oauth/introspect`: a client learns about its own tokens only.
    @Sendable func introspect(_ request: Request, _ context: SandboxContext) async throws -> Response {
        try await answer(request) { parameters, credentials throws(OAuthRefusal) in
            guard let value = parameters["token"] else { throw .invalidRequest("token is missing") }
            let token = try decide { state, now throws(ExchangeRefusal) in
                try state.introspect(value, by: credentials, at: now)
            }
            return .json(.ok, token?.introspection(clientID: credentials.clientID) ?? "{\"active\":false}")
        }
    }

    /// `POST /oauth/revoke`: answers 200 for whatever token, known or not.
    @Sendable func revoke(_ request: Request, _ context: SandboxContext) async throws -> Response {
        try await answer(request) { parameters, credentials throws(OAuthRefusal) in
            guard let value = parameters["token"] else { throw .invalidRequest("token is missing") }
            try decide { state, now throws(ExchangeRefusal) in
                try state.revoke(value, by: credentials, at: now)
            }
            return Response(status: .ok)
        }
    }

    private func decide<Result: Sendable>(
        _ body: (inout SandboxState, SandboxInstant) throws(ExchangeRefusal) -> Result
    ) throws(OAuthRefusal) -> Result {
        do throws(ExchangeRefusal) {
            return try sandbox.decide(body)
        } catch {
            throw OAuthRefusal(error)
        }
    }

    private func answer(
        _ request: Request,
        with body: (FormParameters, ClientCredentials) throws(OAuthRefusal) -> Response
    ) async throws -> Response {
        guard let bytes = try await BoundedBody.collect(request, upTo: Self.bodyLimit) else {
            return .error(.contentTooLarge, "invalid_request", "a body has at most \(Self.bodyLimit) bytes")
        }
        do throws(OAuthRefusal) {
            guard request.uri.query == nil else { throw .invalidRequest("parameters belong into the body") }
            guard request.headers[.contentType]?.isForm == true else {
                throw .invalidRequest("the body is not of type application/x-www-form-urlencoded")
            }
            let parameters = try FormParameters(bytes.readableBytesView)
            let credentials = try ClientCredentials(
                authorization: request.headers[.authorization], parameters: parameters)
            return try body(parameters, credentials)
        } catch {
            return error.response
        }
    }
}

extension TokenGrant {
    /// The successful answer of RFC 6749, section 5.1, or what the profile makes of it.
    var json: String {
        var text = "{\"access_token\":\(token.value.quotedAsJSON),\"token_type\":\"Bearer\""
        switch expiresIn {
        case .number: text += ",\"expires_in\":\(lifetime)"
        case .string: text += ",\"expires_in\":\"\(lifetime)\""
        case .absent: break
        }
        if !omitsScope { text += ",\"scope\":\(token.scope.quotedAsJSON)" }
        if nestingDepth > 0 {
            let opening = String(repeating: "[", count: nestingDepth)
            text += ",\"extension\":\(opening)\(String(repeating: "]", count: nestingDepth))"
        }
        return text + "}"
    }
}

extension TokenShelf.Token {
    /// The answer of RFC 7662, section 2.2; `secret_id` is ours and tells with which secret the token was minted.
    func introspection(clientID: String) -> String {
        """
        {"active":true,"client_id":\(clientID.quotedAsJSON),"exp":\(expiresAt.seconds),"iat":\(issuedAt.seconds),\
        "scope":\(scope.quotedAsJSON),"secret_id":\(secretID.quotedAsJSON),"token_type":"Bearer"}
        """
    }
}

extension String {
    fileprivate var isForm: Bool {
        let type = prefix { $0 != ";" && $0 != " " }
        return type.lowercased() == "application/x-www-form-urlencoded"
    }
}

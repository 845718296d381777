import FoundationEssentials
public import KeyoverCore

/// Token exchanges and canary calls over HTTP.
///
/// One call is one request on one new connection (``BoundedHTTP``); who wants to try again says so (``Retry``). A refusal is
/// told by its class and by the shape of the answer; what the server wrote is shown on one line, cut short, and withheld
/// when it repeats any piece of the secret.
public struct TokenExchanger: TokenExchanging {
    private let http: BoundedHTTP
    private let limits: HTTPLimits
    private let allowsLoopbackHTTP: Bool

    /// An exchanger; plain http to a literal loopback address is for the sandbox, or for whoever asks for it explicitly.
    public init(http: BoundedHTTP, allowsLoopbackHTTP: Bool = false, limits: HTTPLimits = .exchange) {
        self.http = http
        self.allowsLoopbackHTTP = allowsLoopbackHTTP
        self.limits = limits
    }

    /// One exchange with the grant `client_credentials`.
    public func exchange(_ request: ExchangeRequest) async throws(ExchangeError) -> TokenGrant {
        let basic = AuthenticatedForm.basicCredentials(clientID: request.clientID, secret: request.secret)
        var reporter = Reporter(
            subject: "token exchange of client \(Self.shown(request.clientID))",
            text: ServerText(hiding: [request.secret], andForms: [basic]), setting: "token URL")
        guard !request.clientID.isEmpty, !request.secret.isEmpty else {
            throw reporter.error(.unknown, "client id or secret is empty", remedy: "run keyover client show")
        }
        let url = try reporter.check(request.tokenURL, allowsLoopbackHTTP: allowsLoopbackHTTP)
        let answer = try await reporter.send(Self.form(request, to: url).call, over: http, limits)
        guard (200..<300).contains(answer.status) else {
            throw reporter.refusal(answer, depth: limits.jsonDepth)
        }
        return try Self.grant(in: answer, depth: limits.jsonDepth, reporter)
    }

    /// One GET with the token; any status outside of 2xx is thrown.
    public func callCanary(url: String, token: TokenGrant) async throws(ExchangeError) {
        var reporter = Reporter(
            subject: "canary request", text: ServerText(hiding: [token.accessToken]), setting: "canary URL")
        let url = try reporter.check(url, allowsLoopbackHTTP: allowsLoopbackHTTP)
        guard token.tokenType.lowercased() == "bearer" else {
            throw reporter.error(
                .unknown, "the token is of type \(Self.shown(token.tokenType)), which a canary request cannot carry",
                remedy: "run keyover client edit and take the canary URL away")
        }
        let bearer = token.accessToken.withUnsafeSecretBytes { String(decoding: $0, as: UTF8.self) }
        // A token made elsewhere than in `exchange` could end the header and begin another.
        guard bearer.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw reporter.error(.unknown, "the token has characters that no header may have")
        }
        let call = HTTPCall(.get, url, headers: [("Authorization", "Bearer \(bearer)"), ("Accept", "*/*")])
        let answer = try await reporter.send(call, over: http, limits)
        guard (200..<300).contains(answer.status) else { throw reporter.resourceRefusal(answer) }
    }

    private static func form(_ request: ExchangeRequest, to url: EndpointURL) -> AuthenticatedForm {
        var parameters = [(name: "grant_type", value: SecretValue(copying: Array("client_credentials".utf8)))]
        if !request.scopes.isEmpty {
            let scope = request.scopes.joined(separator: " ")
            parameters.append((name: "scope", value: SecretValue(copying: Array(scope.utf8))))
        }
        return AuthenticatedForm(
            to: url, clientID: request.clientID, secret: request.secret, authentication: request.authentication,
            parameters: parameters)
    }

    static func grant(
        in answer: HTTPAnswer, depth: Int, _ reporter: Reporter
    ) throws(ExchangeError) -> TokenGrant {
        guard JSONNesting.isObject(answer.body, within: depth) else {
            throw reporter.noToken(answer, "the answer is not a JSON object within bounds")
        }
        let read: TokenAnswer
        do {
            read = try JSONDecoder().decode(TokenAnswer.self, from: Data(answer.body))
        } catch let objection as TokenAnswer.Objection {
            // Some servers say no with status 200.
            let body = BoundedJSON.object(OAuthErrorBody.self, from: answer.body, depth: depth)
            if body?.error != nil { throw reporter.refusal(answer, depth: depth) }
            throw reporter.noToken(answer, "the answer is no token: \(objection.reason)")
        } catch {
            throw reporter.noToken(answer, "the answer is not a JSON object within bounds")
        }
        return TokenGrant(
            accessToken: SecretValue(copying: Array(read.accessToken.utf8)), tokenType: read.tokenType,
            expiresIn: read.expiresIn, scopes: read.scopes, serverDate: answer.date)
    }

    private static func shown(_ text: String) -> String {
        ServerText(hiding: []).clean(text, limit: 80) ?? "(none)"
    }
}

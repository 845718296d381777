/// Obtains access tokens with a client's secret: the client credentials grant of RFC 6749 section 4.4.
///
/// Each call is one request on a connection that was not used before, so that a pooled connection to one replica cannot
/// hide what the others think. It is bounded in time and size, follows no redirect, and repeats nothing by itself.
public protocol TokenExchanging: Sendable {
    /// One exchange; an answer that is no token is thrown as its failure class with the shape of the answer.
    func exchange(_ request: ExchangeRequest) async throws(ExchangeError) -> TokenGrant

    /// Calls a resource with a fresh token; any status outside of 2xx is thrown.
    func callCanary(url: String, token: TokenGrant) async throws(ExchangeError)
}

/// What one token exchange needs.
public struct ExchangeRequest: Sendable {
    /// The token endpoint.
    public var tokenURL: String
    /// The OAuth client id.
    public var clientID: String
    /// The secret to try.
    public var secret: SecretValue
    /// How to authenticate: as the consumers do.
    public var authentication: ClientAuthentication
    /// The scopes to ask for; empty asks for none.
    public var scopes: [String]

    /// A request for a token.
    public init(
        tokenURL: String, clientID: String, secret: SecretValue, authentication: ClientAuthentication, scopes: [String]
    ) {
        self.tokenURL = tokenURL
        self.clientID = clientID
        self.secret = secret
        self.authentication = authentication
        self.scopes = scopes
    }
}

/// A token as the server granted it (RFC 6749 section 5.1).
public struct TokenGrant: Sendable {
    /// The access token.
    public var accessToken: SecretValue
    /// How to use it; `Bearer` compares without case.
    public var tokenType: String
    /// How long it lives; `nil` when the server did not say.
    public var expiresIn: TimeSpan?
    /// The granted scopes; `nil` when the server did not say, which means those asked for (section 3.3).
    public var scopes: [String]?
    /// The server's `Date` header.
    public var serverDate: Timestamp?

    /// A granted token.
    public init(
        accessToken: SecretValue, tokenType: String, expiresIn: TimeSpan?, scopes: [String]?, serverDate: Timestamp?
    ) {
        self.accessToken = accessToken
        self.tokenType = tokenType
        self.expiresIn = expiresIn
        self.scopes = scopes
        self.serverDate = serverDate
    }
}

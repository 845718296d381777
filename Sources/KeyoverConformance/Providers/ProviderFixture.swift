public import KeyoverCore

/// A provider under test, with what a test needs from outside of the adapter.
public protocol ProviderFixture: Sendable {
    /// The adapter.
    var provider: any Provider { get }
}

/// A provider that holds secrets, can be asked for tokens, and can be made to misbehave.
public protocol ProviderServerFixture: ProviderFixture {
    /// Asks the provider's own token endpoint, or one that honours the same secrets.
    var exchanger: any TokenExchanging { get }
    /// A new client with one secret that works everywhere.
    func makeClient() async throws -> FixtureClient
    /// The exchange of a client's secret.
    func exchange(_ client: ClientReference, _ secret: SecretValue) -> ExchangeRequest
    /// How many writes to secrets the server has carried out for the client.
    func writes(of client: ClientReference) async throws -> Int
    /// From now on, the next write is carried out, and its connection is cut instead of an answer.
    func loseNextAnswer() async throws
    /// From now on, the next call is refused with 429 and this wait.
    func throttleNextCall(retryAfter: TimeSpan) async throws
}

/// A client made for one test.
public struct FixtureClient: Sendable {
    /// The client.
    public let reference: ClientReference
    /// The provider's id of its secret.
    public let secretID: SecretID
    /// The value of its secret.
    public let secret: SecretValue

    /// A client and its secret.
    public init(reference: ClientReference, secretID: SecretID, secret: SecretValue) {
        self.reference = reference
        self.secretID = secretID
        self.secret = secret
    }
}

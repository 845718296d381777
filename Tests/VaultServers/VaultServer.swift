public import KeyoverSealing
public import KeyoverVaults

/// What vaults of one scheme live on, for tests: the real thing, started by the test process and stopped with it.
public protocol VaultServer: Sendable {
    /// The scheme of the backend.
    static var scheme: String { get }

    /// Starts what there is to start. A server that cannot be started is a failed test, not a skipped one.
    static func start() async throws -> Self

    /// A place for a vault that nobody else uses.
    func place() async throws -> VaultPlace

    /// Stops what was started, and removes what it left behind.
    func stop() async
}

/// A server that can be hurt.
public protocol MortalVaultServer: VaultServer {
    /// Ends the server at once, as `kill -9` does; what it had acknowledged has to be there after ``revive()``.
    func kill() async throws
    /// Starts it again, with what it had stored; returns when it answers.
    func revive() async throws
    /// Stops the server without ending it, as `kill -STOP` does: connections stand, and nothing answers.
    func freeze() async throws
    /// Lets it go on.
    func thaw() async throws
}

/// A server of several members, of which ``MortalVaultServer`` hurts one.
public protocol VaultCluster: MortalVaultServer {
    /// Ends all members at once.
    func killAll() async throws
    /// Stops so many members that the others cannot agree on anything.
    func freezeQuorum() async throws
}

/// Where a vault can be, and how it is reached.
public struct VaultPlace: Sendable {
    /// The URL.
    public let url: VaultURL
    /// How it is reached from inside the test process.
    public let reach: VaultReach
    /// How it is reached by programs: variables of their environment, such as `KEYOVER_VAULT_CREDENTIAL`.
    public let environment: [String: String]
    /// Folders in which the backend keeps what it stores, to look for secrets that must not be there.
    public let storage: [String]

    /// A place for a vault.
    public init(_ url: VaultURL, _ reach: VaultReach, environment: [String: String] = [:], storage: [String] = []) {
        self.url = url
        self.reach = reach
        self.environment = environment
        self.storage = storage
    }
}

/// All servers; one for each registered backend, which a test holds to be so.
public enum VaultServers {
    /// The servers.
    public static let all: [any VaultServer.Type] = [
        FileVaultServer.self, EtcdCluster.self, OpenBaoServer.self, SecretServiceServer.self,
    ]

    /// The server of a scheme.
    public static func server(for scheme: String) -> (any VaultServer.Type)? {
        all.first { $0.scheme == scheme }
    }
}

public import KeyoverCore

/// What the vault suite needs to know about one vault under test, made fresh for each case.
public protocol VaultFixture: Sendable {
    /// An empty vault.
    var vault: any Vault { get }
    /// Another handle on the same vault, as another process would have it.
    func secondHandle() async throws -> any Vault
    /// A handle that was granted metadata only.
    func metadataHandle() async throws -> any Vault
    /// Opens the vault with an identity that it was never granted to, which has to fail.
    func strangersHandle() async throws -> any Vault
    /// What a check of the whole vault finds wrong.
    func findings() async throws -> [String]
}

/// What not every backend has; fixtures of those that have it conform to the protocol named here.
public enum VaultPower: String, CaseIterable, Sendable {
    /// Telling of changes: the vault is a `WatchableVault`.
    case changes
    /// Being worked on by several processes: ``WorkerFixture``.
    case processes
    /// A server that can die and stand still: ``MortalFixture``.
    case server
    /// A server that wants a credential: ``SignInFixture``.
    case signingIn
    /// Files on this host: ``FileFixture``.
    case files
}

/// A vault that other processes can work on.
public protocol WorkerFixture: VaultFixture {
    /// How many increments each of eight processes is to make: 250, and fewer where every change takes long.
    var incrementsEach: Int { get }
    /// Starts a process that raises a client's generation by one, again and again, by compare-and-swap.
    func startWorker(on client: ClientName, times: Int) async throws -> any VaultWorker
}

/// A process that works on a vault.
public protocol VaultWorker: Sendable {
    /// How many increments the process was told to be stored; goes on counting until it has ended.
    var acknowledged: Int { get }
    /// Ends the process at once, as `kill -9` does, and returns when it is gone.
    func kill() async
    /// Returns when the process has done all that it was to do; throws what it complained about.
    func finish() async throws
}

/// A vault on a server that can be hurt, and that serves no other case.
public protocol MortalFixture: VaultFixture {
    /// Another handle, which waits no longer than this in each call.
    func handle(patience: TimeSpan) async throws -> any Vault
    /// Ends the server at once, as `kill -9` does.
    func killServer() async throws
    /// Starts it again, with what it had stored.
    func reviveServer() async throws
    /// Stops the server without ending it, as `kill -STOP` does.
    func freezeServer() async throws
    /// Lets it go on.
    func thawServer() async throws
}

/// A vault on a server that wants a credential.
public protocol SignInFixture: VaultFixture {
    /// Opens the vault with the right identity and a wrong credential, which has to fail.
    func handleWithWrongCredential() async throws -> any Vault
}

/// A vault in files of this host.
public protocol FileFixture: VaultFixture {
    /// Lets everybody read a file of the vault.
    func loosen() throws
    /// Makes it private again.
    func tighten() throws
}

extension VaultFixture {
    /// Whether the fixture has a power, whatever was said about it.
    func has(_ power: VaultPower) -> Bool {
        switch power {
        case .changes: vault is any WatchableVault
        case .processes: self is any WorkerFixture
        case .server: self is any MortalFixture
        case .signingIn: self is any SignInFixture
        case .files: self is any FileFixture
        }
    }
}

/// The fixture as one with a power; that a power is missing has to be said, with the reason.
func demand<Power>(_ power: VaultPower, _ fixture: any VaultFixture) throws(ConformanceFailure) -> Power {
    guard let powerful = (power == .changes ? fixture.vault : fixture) as? Power else {
        throw ConformanceFailure("lacks the power \(power), and nobody says why")
    }
    return powerful
}

public import KeyoverCore

/// What the vault suite needs to know about one vault under test, made fresh for each case.
public protocol VaultFixture: Sendable {
    /// An empty vault.
    var vault: any Vault { get }
    /// Another handle on the same vault, as another process would have it.
    func secondHandle() async throws -> any Vault
    /// A handle that was granted metadata only; `nil` where the backend has no such grant.
    func metadataHandle() async throws -> (any Vault)?
}

/// The promises of ``Vault`` that every backend keeps.
public struct VaultSuite: Sendable {
    /// Makes a fixture, runs the body with it, and clears away what it made.
    public typealias Provision = @Sendable (@Sendable (any VaultFixture) async throws -> Void) async throws -> Void

    private let withFixture: Provision

    /// A suite that gets its fixtures from the closure, one for each case.
    public init(withFixture: @escaping Provision) {
        self.withFixture = withFixture
    }

    /// All promises.
    public var cases: [ConformanceCase] {
        (Self.recordCases + Self.swapCases + Self.summaryCases + Self.ledgerCases + Self.keyCases).map { name, body in
            ConformanceCase(name) { [withFixture] in try await withFixture(body) }
        }
    }

    typealias Promise = (name: String, body: @Sendable (any VaultFixture) async throws -> Void)
}

extension Vault {
    /// The record of a name, which has to be there.
    func existing<Record: VaultRecord>(_ name: Name<Record>) async throws -> Versioned<Record> {
        guard let found = try await read(name) else { throw ConformanceFailure("\(Record.kind) \(name) is not there") }
        return found
    }
}

/// Throws unless the body throws a vault error of one code.
func expectFailure(
    _ code: VaultError.Code, _ what: String, _ body: () async throws -> Void
) async throws {
    do {
        try await body()
    } catch let error as VaultError {
        try expect(error.code == code, "\(what): expected \(code), got \(error.code): \(error)")
        return
    }
    throw ConformanceFailure("\(what): expected \(code), but it worked")
}

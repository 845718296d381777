import KeyoverCore

/// The promises of ``Vault`` that every backend keeps.
public struct VaultSuite: Sendable {
    /// Makes a fixture with the powers that a case needs, runs the body with it, and clears away what it made.
    public typealias Provision =
        @Sendable (Set<VaultPower>, @Sendable (any VaultFixture) async throws -> Void) async throws -> Void

    typealias Promise = (name: String, body: @Sendable (any VaultFixture) async throws -> Void)

    private let lacking: [VaultPower: String]
    private let withFixture: Provision

    /// A suite that gets its fixtures from the closure, one for each case.
    ///
    /// - Parameter lacking: The powers that the backend does not have, each with the reason in a few words.
    public init(lacking: [VaultPower: String] = [:], withFixture: @escaping Provision) {
        self.lacking = lacking
        self.withFixture = withFixture
    }

    /// All promises.
    public var cases: [ConformanceCase] {
        group(Self.recordCases + Self.swapCases + Self.summaryCases + Self.ledgerCases + Self.keyCases)
            + group(Self.accessCases) + group(Self.signInCases, [.signingIn]) + group(Self.fileCases, [.files])
            + group(Self.changeCases, [.changes]) + group(Self.processCases, [.processes])
            + group(Self.serverCases, [.server]) + group(Self.outageCases, [.server, .changes])
    }

    private func group(_ promises: [Promise], _ needed: [VaultPower] = []) -> [ConformanceCase] {
        promises.map { name, body in
            guard let power = needed.first(where: { lacking[$0] != nil }) else {
                return ConformanceCase(name) { [withFixture] in try await withFixture(Set(needed), body) }
            }
            return ConformanceCase(name, notApplicable: lacking[power]) { [withFixture] in
                try await withFixture([]) { fixture in
                    try expect(!fixture.has(power), "it is said to lack what it has: \(power)")
                }
            }
        }
    }
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

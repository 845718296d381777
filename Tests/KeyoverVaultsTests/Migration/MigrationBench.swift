import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Synchronization
import Testing

/// A value that several tasks change.
final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) {
        self.value = Mutex(value)
    }

    var now: Value { value.withLock { $0 } }

    @discardableResult
    func change<Result: Sendable>(_ body: (inout Value) -> Result) -> Result { value.withLock { body(&$0) } }
}

/// A kind of place that vaults migrate between in tests.
enum BenchPlace: String, CaseIterable, CustomTestStringConvertible {
    case folder, memory

    var testDescription: String { rawValue }
}

/// A vault with something in it, and a place for the next one.
final class MigrationBench: Sendable {
    static let names = (1...6).map { number -> ClientName in SampleRecords.name("client-\(number)") }
    static let relocation = Relocation(
        to: "memory:", keyCommitment: String(repeating: "0", count: 64), at: SampleRecords.moment)

    let identity: X25519Identity
    let auditor: X25519Identity
    let source: any MigratableVault
    private let places: (from: Place, to: Place)

    private enum Place: Sendable {
        case folder(Scratch)
        case memory(MemoryStore)

        init(_ kind: BenchPlace) throws {
            self = kind == .folder ? .folder(try Scratch()) : .memory(MemoryStore())
        }

        func create(_ creation: VaultCreation) async throws {
            switch self {
            case .folder(let scratch):
                _ = try await FileVault.create(
                    at: scratch.path + "/vault", recipients: creation.recipients, keyring: creation.keyring)
            case .memory(let store): _ = try await EntryVault.create(in: store, creation)
            }
        }

        func open(_ identity: X25519Identity) async throws -> any MigratableVault {
            let access = VaultAccess(identities: [identity])
            return switch self {
            case .folder(let scratch): try await FileVault.open(at: scratch.path + "/vault", access)
            case .memory(let store): try await EntryVault.open(store, access)
            }
        }
    }

    init(_ from: BenchPlace, _ to: BenchPlace) async throws {
        identity = try X25519Identity.generate()
        auditor = try X25519Identity.generate()
        places = (try Place(from), try Place(to))
        try await places.from.create(VaultCreation(for: [identity.recipient]))
        source = try await places.from.open(identity)
        var tenant = SampleRecords.tenant("sandbox-1")
        tenant.moved = nil
        _ = try await source.write(tenant, expecting: nil)
        _ = try await source.write(SampleRecords.host("host-1"), expecting: nil)
        for (index, name) in Self.names.enumerated() {
            _ = try await source.write(Self.client(name, UInt64(100 + index)), expecting: nil)
            for consumer in ["web-1", "web-2"] {
                try await source.acknowledge(Self.report(consumer, index), of: name)
            }
        }
        try await places.to.create(source.succession(reach: VaultReach()))
    }

    /// A client in the middle of a rotation that nobody is at work on.
    static func client(_ name: ClientName, _ number: UInt64) -> ClientRecord {
        let sample = SampleRecords.clientInRotation(name.description)
        var client = SampleRecords.client(name.description, secret: "hush-\(number)", number: number)
        client.secondary = sample.secondary
        client.rotation = sample.rotation
        client.rotation?.claim = nil
        client.retired = sample.retired
        return client
    }

    static func report(_ consumer: String, _ generation: Int) -> LedgerEntry {
        LedgerEntry(
            consumer: SampleRecords.name(consumer), generation: UInt64(generation + 1),
            seen: ClockReading(
                wall: SampleRecords.moment, sinceBoot: .seconds(5), bootID: "boot"), lease: .minutes(10))
    }

    /// The destination, as another process would open it.
    func destination() async throws -> any MigratableVault { try await places.to.open(identity) }

    /// A migration whose work can be stopped, as a process that dies stops.
    func migration(
        isHeld: @escaping @Sendable (ClientRecord) -> Bool = { _ in false },
        goesOn: @escaping @Sendable (MigrationProgress) -> Bool = { _ in true }
    ) async throws -> VaultMigration {
        VaultMigration(from: source, to: try await destination(), isHeld: isHeld, goesOn: goesOn)
    }

    /// Expects the destination to hold what the source held, without marks.
    func expectAllThere(_ sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let destination = try await destination()
        for name in Self.names {
            var old = try #require(try await source.read(name)?.record)
            old.moved = nil
            #expect(try await destination.read(name)?.record == old, sourceLocation: sourceLocation)
            #expect(
                try await destination.ledger(of: name) == source.ledger(of: name), sourceLocation: sourceLocation)
        }
        let tenant = try #require(try await destination.summaries(TenantRecord.self).first).record
        #expect(tenant.moved == nil)
        #expect(try await destination.read(tenant.name)?.record.adminCredential?.isEmpty == false)
        #expect(try await destination.summaries(HostRecord.self).count == 1)
        #expect(try await destination.verify().isSound)
    }
}

import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import Testing

@testable import KeyoverVaults

/// A vault of entries in memory with two clients and a tenant in it, and the means to harm it.
struct EntryBench {
    let store = MemoryStore()
    let identity: X25519Identity
    let pin: VaultPin
    let scratch: Scratch
    let one = SampleRecords.clientInRotation("one")
    let two = SampleRecords.client("two", secret: "another", number: 2)

    init() async throws {
        identity = try X25519Identity.generate()
        scratch = try Scratch()
        pin = try await EntryVault.create(in: store, VaultCreation(for: [identity.recipient]))
        let vault = try await open()
        _ = try await vault.write(one, expecting: nil)
        _ = try await vault.write(two, expecting: nil)
        _ = try await vault.write(SampleRecords.tenant("sandbox-1"), expecting: nil)
        try await vault.acknowledge(SampleRecords.report("web-1", generation: 1), of: one.name)
    }

    /// Opens the vault as a host does that keeps marks in its state folder.
    func open(
        host: String = "first", pin: VaultPin? = nil, acceptsOlder: Bool = false
    ) async throws(VaultError) -> EntryVault<MemoryStore> {
        try await open(store, host: host, pin: pin, acceptsOlder: acceptsOlder)
    }

    /// Opens the vault through another store, which holds the same.
    func open<Store: EntryStore>(
        _ store: Store, host: String = "first", pin: VaultPin? = nil, acceptsOlder: Bool = false
    ) async throws(VaultError) -> EntryVault<Store> {
        var access = VaultAccess(
            identities: [identity], pin: pin ?? self.pin, stateDirectory: "\(scratch.path)/\(host)")
        access.acceptsOlder = acceptsOlder
        return try await EntryVault.open(store, access)
    }

    func place<Record: VaultRecord>(_ name: Name<Record>) async throws -> EntryName {
        .record(try await open().place(name))
    }

    /// What lies in the place of a record.
    func stored<Record: VaultRecord>(_ name: Name<Record>) async throws -> StoredEntry {
        try #require(await store.entry(place(name)))
    }

    /// Puts bytes into the place of a record, behind the vault's back.
    func plant<Record: VaultRecord>(_ bytes: [UInt8], at name: Name<Record>) async throws {
        try await plant(bytes, at: place(name))
    }

    /// Puts bytes into a place, behind the vault's back.
    func plant(_ bytes: [UInt8], at place: EntryName) async throws {
        try await store.put(Entry(place, bytes), expecting: store.entry(place)?.version, while: nil)
    }

    /// Takes a record away, behind the vault's back.
    func steal<Record: VaultRecord>(_ name: Name<Record>) async throws {
        let version = try await stored(name).version
        try await store.remove(place(name), expecting: version)
    }
}

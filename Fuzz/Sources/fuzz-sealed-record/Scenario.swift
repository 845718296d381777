import FoundationEssentials
import FuzzSupport
import KeyoverCore

@testable import KeyoverSealing

/// One vault with keys that everybody knows, and everything that was ever stored in it.
///
/// Whatever an input does with the rows, an answer may only be what was stored when the counter was what it says.
enum Scenario {
    /// What the vault held at one counter.
    struct State {
        var client: ClientRecord?
        var tenant: TenantRecord?
        var ledger: [LedgerEntry] = []
        var records = 0
        var serials: Set<UInt64> = []
    }

    static let id = must("id", UUIDv7(bytes: [UInt8](repeating: 0x11, count: 16)))
    static let client: ClientName = must("name", Name("billing-sync"))
    static let tenant: TenantName = must("name", Name("sandbox-1"))
    static let value = SecretValue("a value of a client")
    static let moment = Timestamp(millisecondsSinceEpoch: 1_795_236_334_123)
    static let report = entry("web-2", generation: 2)

    static let keyring: Keyring = {
        func key(_ byte: UInt8) -> SecretValue { SecretValue(copying: [UInt8](repeating: byte, count: 32)) }
        let side = Keyring.ValueSide(key: key(3), survivor: key(4))
        return Keyring(
            vaultID: id, epoch: 1, metadataKey: key(1), metadataSurvivor: key(2), valueSide: side,
            valueCommitment: Keyring.commit(side, vaultID: id, epoch: 1))
    }()

    private static func record(_ generation: UInt64) -> ClientRecord {
        let slot = Slot(
            clientID: "id-of-billing", value: value, secretID: SecretID("key-1"),
            fingerprint: Fingerprint(bytes: [UInt8](repeating: 7, count: 32)), storedAt: moment)
        var record = ClientRecord(
            id: id, name: client, registration: Registration(tenant: tenant), primary: slot, createdAt: moment)
        record.generation = generation
        return record
    }

    private static func entry(_ consumer: String, generation: UInt64) -> LedgerEntry {
        LedgerEntry(
            consumer: must("name", Name(consumer)), generation: generation,
            seen: ClockReading(wall: moment, sinceBoot: .zero, bootID: "boot-1"), lease: .hours(1), rejected: nil)
    }

    /// The vault's life: five changes, with the tables after each.
    private static let life: [(tables: [UInt8], state: State)] = must("write the vault") {
        let rows = TableRows()
        try VaultWriter.initialize(rows, keyring)
        var life = [(tables: rows.bytes, state: State())]
        func change(_ body: (inout VaultWriter<TableRows>, inout State) throws -> Void) throws {
            var writer = try VaultWriter(rows, keyring, notOlderThan: nil)
            var state = life[life.count - 1].state
            try body(&writer, &state)
            state.records = rows.records.count
            state.serials = Set(rows.records.map(\.serial))
            life.append((tables: rows.bytes, state: state))
        }
        var other = TenantRecord(id: id, name: tenant, provider: "sandbox", createdAt: moment)
        other.adminCredential = value
        try change { writer, state in
            _ = try writer.write(record(1), expecting: nil)
            state.client = record(1)
        }
        try change { writer, state in
            _ = try writer.write(other, expecting: nil)
            state.tenant = other
        }
        try change { writer, state in
            _ = try writer.write(record(2), expecting: Revision("1.1"))
            state.client = record(2)
        }
        for consumer in ["web-1", "web-2"] {
            try change { writer, state in
                try writer.acknowledge(entry(consumer, generation: 1), of: client)
                state.ledger.append(entry(consumer, generation: 1))
            }
        }
        return life
    }

    static let states = Dictionary(uniqueKeysWithValues: life.enumerated().map { (UInt64($0), $1.state) })

    /// The metadata of the client as JSON.
    static let metadata: [UInt8] = must("encode a record") { Array(try RecordCodec.standard.encode(record(1))) }

    private static let lookup = RecordSealing(keyring).lookup(client)

    private static func seal(_ plaintext: [UInt8], _ field: String, of record: UUIDv7, _ serial: UInt64) -> [UInt8] {
        let context = SealContext(vault: id, epoch: 1, record: record, field: field, serial: serial)
        return must("seal \(field)") { () throws(VaultError) in
            try Seal.seal(plaintext, with: keyring.metadataKey, for: context)
        }
    }

    /// The client's row with this metadata and payload, vouched for by a leaf as a key holder would make it.
    static func row(metadata: [UInt8], payload: [UInt8]) -> RecordRow {
        let sealed = seal(metadata, "client/metadata", of: id, 7)
        let digest = Primitives.digest(payload)
        var leaf = Transcript("keyover leaf")
        leaf.append(lookup)
        leaf.append("client")
        leaf.append(id.bytes)
        leaf.append(7)
        leaf.append(Primitives.digest(sealed))
        leaf.append(digest)
        return RecordRow(
            lookup: lookup, kind: "client", id: id.bytes, serial: 7,
            leaf: Primitives.authenticate(leaf.bytes, with: keyring.treeKey), digest: digest, metadata: sealed,
            payload: payload)
    }

    /// A row of the table `vault` whose sealed root says this.
    static func vaultRow(root: [UInt8], counter: UInt64) -> VaultRow {
        VaultRow(id: id.bytes, epoch: 1, counter: counter, root: seal(root, "vault/root", of: id, counter))
    }

    /// A ledger entry's row that says this.
    static func ledgerRow(_ json: [UInt8]) -> LedgerRow {
        let consumer = [UInt8](repeating: 5, count: 32)
        let field = "ledger/\(Hex.encode(lookup))/\(Hex.encode(consumer))"
        return LedgerRow(
            client: lookup, consumer: consumer, serial: 8, leaf: [], entry: seal(json, field, of: id, 8))
    }

    @Sendable static func seeds() throws -> [String: [UInt8]] {
        var seeds: [String: [UInt8]] = [:]
        for (index, moment) in life.enumerated() { seeds["rows-\(index)"] = input("r", moment.tables) }
        seeds["metadata"] = input("m", metadata)
        let sealing = RecordSealing(keyring)
        seeds["payload-none"] = input("v", [])
        seeds["payload"] = input("v", try sealing.seal(record(1), serial: 7).payload ?? [])
        let empty = must("vault", TableRows(bytes: life[0].tables)?.row)
        let context = SealContext(vault: id, epoch: 1, record: id, field: "vault/root", serial: 0)
        seeds["root"] = input("o", try Seal.open(empty.root, with: keyring.metadataKey, for: context))
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        seeds["ledger-entry"] = input("l", try encoder.encode(report))
        var node = TreeNode()
        for position in [UInt8(3), 40, 255] { node[position] = [UInt8](repeating: position, count: 32) }
        seeds["node"] = input("n", node.bytes)
        seeds["transcript"] = input("n", [0, 0, 0, 1, 65, 0, 0, 0, 0])
        let recipients = (0..<2).map { VaultRecipient.key(X25519Recipient(bytes: [UInt8](repeating: $0, count: 32))) }
        let file = KeyFile(keyring, for: try VaultAudience(full: [recipients[0]], metadataOnly: [recipients[1]]))
        seeds["key-file"] = input("k", file.encoded().plain)
        seeds["key-file-metadata"] = input("k", file.metadataOnly.encoded().plain)
        seeds["backup"] = input("b", Backup.archive)
        return seeds
    }
}

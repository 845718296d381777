import FoundationEssentials
public import KeyoverCore

/// Turns records into rows and back: sealed metadata, values sealed one by one, and the leaf that the tree vouches for.
public struct RecordSealing: Sendable {
    /// The largest value of one field.
    public static let valueLimit = 1 << 20

    let keyring: Keyring
    let codec: RecordCodec

    /// Sealing under the keys of one epoch.
    public init(_ keyring: Keyring, codec: RecordCodec = .standard) {
        self.keyring = keyring
        self.codec = codec
    }

    /// What a name of a kind is stored under.
    public func lookup<Record: VaultRecord>(_ name: Name<Record>) -> [UInt8] {
        keyring.lookup(kind: Record.kind, name: name.description)
    }

    /// Seals a record whole, with its values.
    public func seal<Record: VaultRecord>(_ record: Record, serial: UInt64) throws(VaultError) -> RecordRow {
        for (field, value) in record.secrets where value.count > Self.valueLimit {
            throw VaultError(.tooLarge, "the value \(field) of \(Record.kind) \(record.name) exceeds 1 MiB")
        }
        return try seal(
            Array(codec.encode(record)), record.secrets, lookup: lookup(record.name), kind: Record.kind, id: record.id,
            serial: serial)
    }

    func seal(
        _ json: [UInt8], _ values: [String: SecretValue], lookup: [UInt8], kind: String, id: UUIDv7, serial: UInt64
    ) throws(VaultError) -> RecordRow {
        let side = try keyring.requireValueSide(for: "changes")
        let metadata = try Seal.seal(json, with: keyring.metadataKey, for: context(id, "\(kind)/metadata", serial))
        var payload = Transcript()
        for (field, value) in values.sorted(by: { $0.key < $1.key }) {
            let context = self.context(id, "\(kind)/value/\(field)", serial)
            payload.append(field)
            payload.append(
                try value.withUnsafeSecretBytes { raw throws(VaultError) in
                    try Seal.seal(raw, with: side.key, for: context)
                })
        }
        let digest = Primitives.digest(payload.bytes)
        return RecordRow(
            lookup: lookup, kind: kind, id: id.bytes, serial: serial,
            leaf: leaf(lookup, kind, id.bytes, serial, metadata, digest), digest: digest, metadata: metadata,
            payload: payload.bytes)
    }

    /// Opens a row's metadata and, where the row has its payload and the keyring the value key, its values.
    public func open<Record: VaultRecord>(_ row: RecordRow, as type: Record.Type) throws(VaultError) -> Record {
        var record = try codec.decode(openMetadata(row), as: type)
        guard record.id.bytes == row.id, lookup(record.name) == row.lookup else {
            throw VaultError.tampered("a \(Record.kind) lies in the place of another")
        }
        if let payload = row.payload, let side = keyring.valueSide {
            record.secrets = try values(in: payload, of: row, record.id, key: side.key)
        }
        return record
    }

    /// The same record under the keys of another epoch, whatever its format; the serial stays.
    func reseal(_ row: RecordRow, with other: RecordSealing) throws(VaultError) -> RecordRow {
        let (metadata, values) = try opened(row)
        return try other.seal(
            Array(metadata), values, lookup: row.lookup, kind: row.kind, id: recordID(row), serial: row.serial)
    }

    /// A row's metadata, of whatever format, and its values.
    func opened(_ row: RecordRow) throws(VaultError) -> (metadata: Data, values: [String: SecretValue]) {
        let id = try recordID(row)
        guard let payload = row.payload else { throw VaultError.tampered("record \(id) has no values") }
        let side = try keyring.requireValueSide(for: "all values")
        return (try openMetadata(row), try values(in: payload, of: row, id, key: side.key))
    }

    /// Refuses to replace a row of a newer format.
    func checkMayReplace<Record: VaultRecord>(_ row: RecordRow, _ type: Record.Type) throws(VaultError) {
        try codec.checkMayReplace(openMetadata(row), type)
    }

    /// Whether the row says what its leaf vouches for; the payload is checked where the row has it.
    public func isConsistent(_ row: RecordRow) -> Bool {
        if let payload = row.payload, Primitives.digest(payload) != row.digest { return false }
        let leaf = leaf(row.lookup, row.kind, row.id, row.serial, row.metadata, row.digest)
        return Primitives.areEqual(leaf, row.leaf)
    }

    /// Opens metadata and values without making a record of them; for checking everything.
    public func checkOpens(_ row: RecordRow) throws(VaultError) {
        let id = try recordID(row)
        _ = try openMetadata(row)
        if let payload = row.payload, let side = keyring.valueSide {
            _ = try values(in: payload, of: row, id, key: side.key)
        }
    }

    func openMetadata(_ row: RecordRow) throws(VaultError) -> Data {
        try Seal.open(
            row.metadata, with: keyring.metadataKey,
            for: context(recordID(row), "\(row.kind)/metadata", row.serial))
    }

    private func values(
        in payload: [UInt8], of row: RecordRow, _ id: UUIDv7, key: SecretValue
    ) throws(VaultError) -> [String: SecretValue] {
        guard let fields = Transcript.fields(of: payload), fields.count.isMultiple(of: 2) else {
            throw VaultError.tampered("the values of record \(id) are malformed")
        }
        var values: [String: SecretValue] = [:]
        for index in stride(from: 0, to: fields.count, by: 2) {
            let field = String(decoding: fields[index], as: UTF8.self)
            values[field] = try Seal.openSecret(
                Array(fields[index + 1]), with: key, for: context(id, "\(row.kind)/value/\(field)", row.serial))
        }
        return values
    }

    private func recordID(_ row: RecordRow) throws(VaultError) -> UUIDv7 {
        guard let id = UUIDv7(bytes: row.id) else { throw VaultError.tampered("a record has a malformed id") }
        return id
    }

    private func context(_ id: UUIDv7, _ field: String, _ serial: UInt64) -> SealContext {
        SealContext(vault: keyring.vaultID, epoch: keyring.epoch, record: id, field: field, serial: serial)
    }

    private func leaf(
        _ lookup: [UInt8], _ kind: String, _ id: [UInt8], _ serial: UInt64, _ metadata: [UInt8], _ digest: [UInt8]
    ) -> [UInt8] {
        var transcript = Transcript("keyover leaf")
        transcript.append(lookup)
        transcript.append(kind)
        transcript.append(id)
        transcript.append(serial)
        transcript.append(Primitives.digest(metadata))
        transcript.append(digest)
        return Primitives.authenticate(transcript.bytes, with: keyring.treeKey)
    }
}

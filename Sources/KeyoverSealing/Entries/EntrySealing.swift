public import KeyoverCore

/// Records as blobs that lie each by itself, for backends that are no database of Keyover's own.
///
/// ```
/// format (8) | epoch (8) | look-up hash | kind | record id | serial (8) | leaf | digest | metadata | values
/// ```
///
/// each preceded by its length. The seals are those of the file vault, and so is the leaf: an HMAC over all the rest under
/// a key of the epoch. A blob is good for one place only, since it names the place and is asked for by it.
///
/// **Removal.** A record that is removed leaves a blob of the kind ``removed`` in its place, whose serial goes on from
/// the record's. So a blob that vanished is noticed, and so is one that comes back.
public struct EntrySealing: Sendable {
    /// The kind of the blob that stands for a record that was removed.
    static let removed = "removed"
    private static let format: UInt64 = 1

    private let keyrings: [Keyring]
    private let codec: RecordCodec

    /// The keys that new blobs are sealed with: those of the newest epoch.
    public var keyring: Keyring { keyrings[keyrings.count - 1] }
    private var sealing: RecordSealing { RecordSealing(keyring, codec: codec) }

    /// Sealing under the keys in a key file.
    public init(_ file: KeyFile, codec: RecordCodec = .standard) {
        keyrings = file.keyrings
        self.codec = codec
    }

    /// What a name of a kind is stored under (32 bytes).
    public func lookup<Record: VaultRecord>(_ name: Name<Record>) -> [UInt8] { sealing.lookup(name) }

    /// Seals a record whole, to take the place of what is there.
    public func seal<Record: VaultRecord>(
        _ record: Record, after present: OpenedEntry?
    ) throws(VaultError) -> [UInt8] {
        if let present, !present.isRemoval {
            try sealing(of: present.epoch).checkMayReplace(present.row, Record.self)
        }
        return encode(try sealing.seal(record, serial: (present?.row.serial ?? 0) + 1), epoch: keyring.epoch)
    }

    /// Seals what stands for a record that was removed; it still says which one that was.
    public func sealRemoval(of present: OpenedEntry) throws(VaultError) -> [UInt8] {
        let row = try sealing.seal(
            Array(try subject(of: present).encoded()), [:], lookup: present.row.lookup, kind: Self.removed,
            id: present.id, serial: present.row.serial + 1)
        return encode(row, epoch: keyring.epoch)
    }

    /// Seals what is there with the keys of the newest epoch; clients are marked when the vault was restored.
    public func reseal(
        _ present: OpenedEntry, marking restoration: Restoration? = nil
    ) throws(VaultError) -> [UInt8] {
        switch (restoration, present.row.kind) {
        case (let restoration?, ClientRecord.kind):
            return try seal(marked(present, restoration) as ClientRecord, after: present)
        case (let restoration?, TenantRecord.kind):
            return try seal(marked(present, restoration) as TenantRecord, after: present)
        default:
            return encode(try sealing(of: present.epoch).reseal(present.row, with: sealing), epoch: keyring.epoch)
        }
    }

    private func marked<Record: RestorableRecord>(
        _ present: OpenedEntry, _ restoration: Restoration
    ) throws(VaultError) -> Record {
        var record = try record(present, as: Record.self)
        record.mark(restoration)
        return record
    }

    /// Opens a blob without opening what is sealed in it; refuses one that was not sealed by this vault.
    ///
    /// - Parameter lookup: The place it was asked for by; `nil` for one out of a list, whose place nobody asked for.
    public func open(_ blob: [UInt8], at lookup: [UInt8]?) throws(VaultError) -> OpenedEntry {
        guard let fields = Transcript.fields(of: blob), fields.count == 10,
            let format = UInt64(bigEndianBytes: fields[0])
        else { throw VaultError.tampered("an entry is malformed") }
        guard format == Self.format else {
            throw VaultError(
                .newerFormat, "an entry was written in format \(format), and this Keyover knows format \(Self.format)",
                remedy: "install the newer Keyover on this machine too")
        }
        guard let epoch = UInt64(bigEndianBytes: fields[1]), let serial = UInt64(bigEndianBytes: fields[5]),
            let id = UUIDv7(bytes: Array(fields[4]))
        else { throw VaultError.tampered("an entry is malformed") }
        let row = RecordRow(
            lookup: Array(fields[2]), kind: String(decoding: fields[3], as: UTF8.self), id: id.bytes, serial: serial,
            leaf: Array(fields[6]), digest: Array(fields[7]), metadata: Array(fields[8]), payload: Array(fields[9]))
        guard row.lookup == lookup ?? row.lookup, row.lookup.count == 32,
            try sealing(of: epoch).isConsistent(row)
        else { throw VaultError.tampered("an entry is not the one that was stored there") }
        return OpenedEntry(row: row, id: id, epoch: epoch)
    }

    /// The record in an entry.
    ///
    /// - Parameter withValues: Whether the values are opened too, where these keys open values.
    public func record<Record: VaultRecord>(
        _ entry: OpenedEntry, as type: Record.Type, withValues: Bool = true
    ) throws(VaultError) -> Record {
        guard entry.row.kind == Record.kind else { throw VaultError.tampered("an entry is of another kind") }
        return try sealing(of: entry.epoch).open(withValues ? entry.row : entry.row.withoutPayload, as: type)
    }

    /// Opens all that the keys open, for checking.
    public func checkOpens(_ entry: OpenedEntry) throws(VaultError) {
        try sealing(of: entry.epoch).checkOpens(entry.row)
    }

    /// The record in an entry as it goes into a backup.
    public func content(of entry: OpenedEntry) throws(VaultError) -> BackupContent {
        try sealing(of: entry.epoch).content(of: entry.row)
    }

    /// Which record an entry is, or was before it was removed.
    public func subject(of entry: OpenedEntry) throws(VaultError) -> RecordSubject {
        try RecordSubject(try sealing(of: entry.epoch).openMetadata(entry.row))
    }

    func keyring(of epoch: UInt64) throws(VaultError) -> Keyring {
        guard let keyring = keyrings.last(where: { $0.epoch == epoch }) else {
            throw VaultError(
                .notTrusted, "an entry is sealed in key epoch \(epoch), and these keys are of epoch \(keyring.epoch)",
                remedy: "if the vault was rekeyed meanwhile, start the command again")
        }
        return keyring
    }

    private func sealing(of epoch: UInt64) throws(VaultError) -> RecordSealing {
        RecordSealing(try keyring(of: epoch), codec: codec)
    }

    private func encode(_ row: RecordRow, epoch: UInt64) -> [UInt8] {
        var transcript = Transcript()
        transcript.append(Self.format)
        transcript.append(epoch)
        transcript.append(row.lookup)
        transcript.append(row.kind)
        transcript.append(row.id)
        transcript.append(row.serial)
        transcript.append(row.leaf)
        transcript.append(row.digest)
        transcript.append(row.metadata)
        transcript.append(row.payload ?? [])
        return transcript.bytes
    }
}

/// A blob that this vault sealed for the place where it lies, what is sealed in it as yet unopened.
public struct OpenedEntry: Sendable {
    let row: RecordRow
    /// The record's id.
    public let id: UUIDv7
    /// The epoch of its keys.
    public let epoch: UInt64

    /// The place (32 bytes).
    public var lookup: [UInt8] { row.lookup }
    /// The kind of record; that of one that was removed is no kind of record.
    public var kind: String { row.kind }
    /// Whether it stands for a record that was removed.
    public var isRemoval: Bool { row.kind == EntrySealing.removed }
    /// How far the entry has come.
    public var mark: VaultMark { VaultMark(epoch: epoch, counter: row.serial) }
    /// The mark of this version, which no other version has: the serial rises, and the salt is random.
    public var revision: Revision {
        Revision("\(mark).\(Hex.encode(row.metadata.prefix(8)))")
    }
}

extension RecordRow {
    fileprivate var withoutPayload: RecordRow {
        RecordRow(
            lookup: lookup, kind: kind, id: id, serial: serial, leaf: leaf, digest: digest, metadata: metadata,
            payload: nil)
    }
}

public import KeyoverCore

/// Consumers' reports as blobs that lie each by itself: `epoch (8) | client | consumer | serial (8) | leaf | entry`.
///
/// A client's reports lie under a hash of its record's id, not of its name: a client that is made anew under the name of
/// one that was removed inherits nothing, whatever a crash left behind.
public struct ReportSealing: Sendable {
    private let sealing: EntrySealing

    /// Sealing under the keys that entries are sealed with.
    public init(_ sealing: EntrySealing) {
        self.sealing = sealing
    }

    /// What the reports about a client lie under (32 bytes).
    public func group(of client: UUIDv7) -> [UInt8] {
        sealing.keyring.lookup(kind: "ledger", name: client.description)
    }

    /// What the reports of a consumer about a client lie under (32 bytes).
    public func place(of consumer: ConsumerName, in group: [UInt8]) -> [UInt8] {
        LedgerSealing(sealing.keyring).hash(consumer, of: group)
    }

    /// Seals a report.
    ///
    /// - Throws: `VaultError` with `.noValueAccess` for keys of metadata only, which must not change anything.
    public func seal(_ entry: LedgerEntry, in group: [UInt8], serial: UInt64) throws(VaultError) -> [UInt8] {
        try sealing.keyring.demandValues(for: "changes")
        let row = try LedgerSealing(sealing.keyring).seal(entry, client: group, serial: serial)
        var transcript = Transcript()
        transcript.append(sealing.keyring.epoch)
        transcript.append(row.client)
        transcript.append(row.consumer)
        transcript.append(row.serial)
        transcript.append(row.leaf)
        transcript.append(row.entry)
        return transcript.bytes
    }

    /// Opens a report.
    ///
    /// - Parameter group: Where it was found; `nil` for one out of a list of all.
    public func open(_ blob: [UInt8], in group: [UInt8]?) throws(VaultError) -> OpenedReport {
        guard let fields = Transcript.fields(of: blob), fields.count == 6,
            let epoch = UInt64(bigEndianBytes: fields[0]), let serial = UInt64(bigEndianBytes: fields[3])
        else { throw VaultError.tampered("a consumer's report is malformed") }
        let ledger = LedgerSealing(try sealing.keyring(of: epoch))
        let row = LedgerRow(
            client: Array(fields[1]), consumer: Array(fields[2]), serial: serial, leaf: Array(fields[4]),
            entry: Array(fields[5]))
        guard row.client == group ?? row.client, ledger.isConsistent(row) else {
            throw VaultError.tampered("a consumer's report is not the one that was stored there")
        }
        let entry = try ledger.open(row)
        guard place(of: entry.consumer, in: row.client) == row.consumer else {
            throw VaultError.tampered("a consumer's report lies in the place of another")
        }
        return OpenedReport(entry: entry, group: row.client, epoch: epoch, serial: serial)
    }
}

/// A consumer's report, opened.
public struct OpenedReport: Sendable {
    /// What was reported.
    public let entry: LedgerEntry
    /// What the reports about that client lie under.
    public let group: [UInt8]
    /// The epoch of its keys.
    public let epoch: UInt64
    /// How often it was changed.
    public let serial: UInt64
}

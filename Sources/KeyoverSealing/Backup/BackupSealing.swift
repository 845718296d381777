public import FoundationEssentials
public import KeyoverCore

extension VaultReader {
    /// A row that a ``RecordScan`` has taken, as it goes into a backup.
    public func content(of row: RecordRow) throws(VaultError) -> BackupContent {
        try sealing.content(of: row)
    }
}

extension RecordSealing {
    /// A row as it goes into a backup: metadata of whatever format, and values.
    func content(of row: RecordRow) throws(VaultError) -> BackupContent {
        let (metadata, values) = try opened(row)
        return .record(kind: row.kind, name: try RecordSubject(metadata).name, metadata: metadata, values: values)
    }

    /// A record out of a backup as a row; clients are marked as restored.
    public func sealAnew(
        _ kind: String, _ name: String, _ metadata: Data, _ values: [String: SecretValue], marking: Restoration
    ) throws(VaultError) -> RecordRow {
        switch kind {
        case ClientRecord.kind:
            var client: ClientRecord = try record(metadata, values)
            client.mark(marking)
            return try sealAnew(client, name)
        case TenantRecord.kind:
            var tenant: TenantRecord = try record(metadata, values)
            tenant.mark(marking)
            return try sealAnew(tenant, name)
        case HostRecord.kind:
            return try sealAnew(record(metadata, values) as HostRecord, name)
        default:
            throw VaultError(
                .newerFormat, "the backup holds a record of the kind \(kind), which this Keyover does not know",
                remedy: "install the newer Keyover on this machine")
        }
    }

    /// What a consumer reported, out of a backup, as a row.
    public func sealLedgerEntry(_ entry: LedgerEntry, of client: ClientName) throws(VaultError) -> LedgerRow {
        try LedgerSealing(keyring).seal(entry, client: lookup(client), serial: 1)
    }

    private func record<Record: VaultRecord>(
        _ metadata: Data, _ values: [String: SecretValue]
    ) throws(VaultError) -> Record {
        try codec.checkMayReplace(metadata, Record.self)
        var record = try codec.decode(metadata, as: Record.self)
        record.secrets = values
        return record
    }

    private func sealAnew<Record: VaultRecord>(_ record: Record, _ name: String) throws(VaultError) -> RecordRow {
        guard record.name.description == name else {
            throw VaultError(.notTrusted, "the backup holds a \(Record.kind) in the place of another")
        }
        return try seal(record, serial: 1)
    }
}

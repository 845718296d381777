public import KeyoverCore
public import KeyoverSealing

extension FileVault: PortableVault {
    /// Writes a backup of everything, as one read transaction sees it, after proving all of it.
    public func backUp(
        _ label: BackupLabel, alsoTo others: [X25519Recipient], logs: @escaping @Sendable (BackupWriter) throws -> Void,
        sink: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
    ) async throws(VaultError) -> BackupManifest {
        try keyring.demandValues(for: "backups")
        let strangers = others.filter { !audience.full.contains(.key($0)) }
        let recipients = try audience.recipients(knowing: identities) + strangers
        let floor = try floor()
        return try await connections.read { [keyring, audience] rows in
            let reader = try VaultReader(rows, keyring, notOlderThan: floor)
            let manifest = BackupManifest(
                vaultID: keyring.vaultID, mark: reader.root.mark, createdAt: label.createdAt, host: label.host)
            let writer = try BackupWriter(keyring, manifest, to: recipients, sink: sink)
            try writer.add(.keys(KeyFile(keyring, for: audience)))
            try Self.addRecords(reader, to: writer)
            try logs(writer)
            try writer.finish()
            return manifest
        }
    }

    private static func addRecords(_ reader: VaultReader<DatabaseRows>, to writer: BackupWriter) throws {
        var scan = RecordScan(reader)
        var clients: [ClientName] = []
        try reader.rows.forEachRecord(withPayload: true) { row in
            try scan.add(row)
            let content = try reader.content(of: row)
            if case .record(ClientRecord.kind, let name, _, _) = content, let name = ClientName(name) {
                clients.append(name)
            }
            try writer.add(content)
        }
        try scan.finish()
        var left = reader.root.ledgerEntries
        for client in clients where left > 0 {
            let entries = try reader.ledger(of: client)
            guard !entries.isEmpty else { continue }
            try writer.add(.ledger(client: client, entries: entries))
            left -= UInt64(entries.count)
        }
        guard left == 0 else { throw VaultError.tampered("the ledger has entries of no client") }
    }
}

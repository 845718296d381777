import Glibc
public import KeyoverCore
import KeyoverSealing

extension FileVault: InspectableVault {
    /// What the vault is and how much is in it.
    public func status() async throws(VaultError) -> VaultStatus {
        let mark = try folder.highWaterMark?.read()
        let (root, records) = try await reading { reader throws(VaultError) in
            (reader.root, try reader.rows.counts())
        }
        return VaultStatus(
            id: keyring.vaultID, location: VaultURL(scheme: backend, location: folder.directory.path),
            keyCommitment: Hex.encode(keyring.commitment), mark: root.mark, highWaterMark: mark,
            audience: folder.keys.access, opensValues: keyring.opensValues, records: records,
            ledgerEntries: Int(clamping: root.ledgerEntries), byteCount: folder.directory.byteCount())
    }

    /// Checks SQLite's own structure, every row, every seal that the keys open, every hash of the trees, the counters
    /// and the permissions of the files.
    public func verify() async throws(VaultError) -> VaultVerification {
        var result = VaultVerification()
        note(&result) { () throws(VaultError) in try VaultFolder.checkFiles(of: folder.directory) }
        if folder.keys.isBetweenEpochs {
            result.findings.append(
                .init(
                    "the vault was not rekeyed to the end: its key file still has the old keys",
                    remedy: "run keyover vault rekey"))
        }
        do {
            let mark = try folder.highWaterMark?.read()
            let (checked, present) = try await connections.read { [keyring] rows in
                var checked = VaultVerification()
                for problem in try rows.integrityProblems() {
                    checked.findings.append(.init("SQLite: \(problem)", remedy: VaultError.restoreBackup))
                }
                let reader = try VaultReader(rows, keyring, notOlderThan: mark)
                try Self.check(reader, into: &checked)
                return (checked, reader.root.mark)
            }
            result.records = checked.records
            result.ledgerEntries = checked.ledgerEntries
            result.checkedValues = checked.checkedValues
            result.findings += checked.findings
            if let highWaterMark = folder.highWaterMark, try highWaterMark.read().map({ $0 < present }) ?? true {
                note(&result) { () throws(VaultError) in try highWaterMark.raise(to: present) }
            }
        } catch {
            if error.code == .unavailable { throw error }
            result.findings.append(.init(error.message, remedy: error.remedy ?? VaultError.restoreBackup))
        }
        return result
    }

    private func note(_ result: inout VaultVerification, _ body: () throws(VaultError) -> Void) {
        do {
            try body()
        } catch {
            result.findings.append(.init(error.message, remedy: error.remedy ?? "check the vault's folder"))
        }
    }

    static func check(
        _ reader: VaultReader<DatabaseRows>, into result: inout VaultVerification
    ) throws(VaultError) {
        var check = VaultCheck(reader)
        try reader.rows.forEachRecord(withPayload: true) { check.add($0) }
        try reader.rows.forEachLedgerEntry { check.add($0) }
        check.finish(storedNodes: try reader.rows.nodes())
        result.records = check.records
        result.ledgerEntries = check.ledgerEntries
        result.checkedValues = check.checkedValues
        result.findings += check.problems.map {
            .init($0, remedy: VaultError.restoreBackup)
        }
    }
}

extension PrivateDirectory {
    /// How many bytes the database takes on disk, its log included.
    fileprivate func byteCount() -> Int {
        var total = 0
        for suffix in ["", "-wal"] {
            var status = stat()
            if lstat("\(path)/\(FileVaultSchema.databaseName)\(suffix)", &status) == 0 { total += Int(status.st_size) }
        }
        return total
    }
}

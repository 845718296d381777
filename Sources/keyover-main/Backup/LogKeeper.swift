import KeyoverCore
import KeyoverEngine
import KeyoverSealing

/// Hands the audit logs in a backup to their restoration.
final class LogKeeper: @unchecked Sendable {
    // Used by one thread at a time: the one that reads the backup, and then the one that asks what became of it.
    private let logs: AuditRestoration
    /// The logs that are kept aside.
    private(set) var aside: [String] = []

    init(_ logs: AuditRestoration) {
        self.logs = logs
    }

    func take(_ content: BackupContent) throws(VaultError) {
        try mapping { () throws(AuditError) in
            switch content {
            case .auditLog(let host, _): try logs.begin(host)
            case .auditBytes(let bytes):
                try bytes.withUnsafeSecretBytes { raw throws(AuditError) in try logs.take(raw) }
            case .keys, .record, .ledger: break
            }
        }
    }

    func finish() throws(VaultError) {
        try mapping { () throws(AuditError) in aside = try logs.finish() }
    }

    private func mapping(_ body: () throws(AuditError) -> Void) throws(VaultError) {
        do {
            try body()
        } catch {
            throw VaultError(
                .unavailable, error.message, remedy: error.remedy ?? "check the state folder and run the command again",
                underlying: error)
        }
    }
}

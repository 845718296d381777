import Glibc
import KeyoverCore
import KeyoverEngine
import KeyoverSealing
import KeyoverVaults

/// Makes backups of the open vault, with the audit logs of this state directory.
struct Backup: Sendable {
    let workspace: Workspace

    /// Writes a backup to a sink and notes it as the newest one.
    @discardableResult
    func write(
        alsoTo others: [X25519Recipient] = [], sink: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
    ) async throws -> BackupManifest {
        let vault = try workspace.portable()
        let logs = AuditFolder(stateDirectory: workspace.stateDirectory)
        let label = BackupLabel(createdAt: workspace.now.wall, host: workspace.audit.host.description)
        return try await vault.backUp(label, alsoTo: others) { writer in
            for host in try logs.hosts() {
                try logs.read(host) { count in
                    try writer.add(.auditLog(host: host, byteCount: count))
                } piece: { bytes in
                    try writer.add(.auditBytes(SecretValue(copying: bytes)))
                }
            }
        } sink: { bytes in
            try sink(bytes)
        }
    }

    /// Where this host notes what the newest backup holds.
    var note: BackupNote {
        BackupNote(stateDirectory: workspace.stateDirectory, vaultID: workspace.vault.id)
    }
}

extension Workspace {
    /// The vault, when it can be taken out whole.
    func portable() throws(VaultError) -> any PortableVault {
        guard let vault = vault as? any PortableVault else {
            throw VaultError(.invalid, "vaults of the kind \(vault.backend) cannot be backed up by Keyover")
        }
        return vault
    }
}

/// What this host knows of the newest backup that it made: `STATE/VAULT-ID.backup`, a time and a state of the vault.
struct BackupNote: Sendable {
    let stateDirectory: String
    let vaultID: String

    private var name: String { "\(vaultID).backup" }

    /// When the newest backup was made, and of which state; `nil` when none is known.
    func read() -> (at: Timestamp, mark: String)? {
        guard let text = try? PrivateFile.read("\(stateDirectory)/\(name)", limit: 256) else { return nil }
        let words = text.withUnsafeSecretBytes { String(decoding: $0, as: UTF8.self) }.split(separator: " ")
        guard words.count == 2, let at = Timestamp(String(words[0])) else { return nil }
        return (at, String(words[1]))
    }

    /// Best effort, like a diary: the backup is there already, and two that end at once may get in each other's way.
    func write(_ manifest: BackupManifest) {
        let text = "\(manifest.createdAt) \(manifest.mark)"
        let folder = try? PrivateDirectory.make(stateDirectory, rule: .ownerWrites)
        try? folder?.replace(name, SecretValue(copying: text.utf8), durably: false)
    }
}

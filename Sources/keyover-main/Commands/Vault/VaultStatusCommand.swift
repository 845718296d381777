import ArgumentParser
import KeyoverCore
import KeyoverSealing
import KeyoverVaults

/// `keyover vault status`.
struct VaultStatusCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show what the vault is, who opens it and how much is in it.")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var form: FormatOption

    func run(in session: Session) async throws -> ExitStatus {
        let vault = try await session.openInspectableVault()
        let status = try await vault.status()
        let moved = try await Self.relocations(vault)
        let settings = try session.settings
        let isPinned = settings.vaultID != nil && settings.keyCommitment != nil
        let backup = BackupNote(stateDirectory: settings.stateDirectory, vaultID: status.id.description).read()
        if form.format == .json {
            try session.terminal.show(json: View(status, backup, moved, settings.identity, isPinned: isPinned))
            return .done
        }
        var sheet = Sheet()
        sheet.add("vault", status.location.description.printable)
        sheet.add("id", status.id.description)
        sheet.add("key commitment", status.keyCommitment)
        sheet.add("pinned", isPinned ? "yes" : "no: set vault_id and key_commitment in config.yaml")
        for recipient in status.audience.full { sheet.add("opened by", recipient.description) }
        for recipient in status.audience.metadataOnly { sheet.add("metadata for", recipient.description) }
        sheet.add("identity", settings.identity?.description.printable ?? "none, a passphrase is asked for")
        sheet.add("values", status.opensValues ? "can be read with this identity" : "cannot be read with this identity")
        sheet.add("state", status.mark.description)
        sheet.add("newest seen here", status.highWaterMark?.description ?? "none")
        sheet.add("newest backup", backup.map { "\($0.at), of state \($0.mark)" } ?? "none made on this host")
        for (kind, count) in status.records.sorted(by: { $0.key < $1.key }) {
            sheet.add("\(kind) records", String(count))
        }
        sheet.add("consumers", String(status.ledgerEntries))
        sheet.add("size", "\(status.byteCount) bytes")
        if let place = moved.first {
            sheet.add("moved", "\(moved.count) records, to \(place.to.printable) at \(place.at)")
            sheet.add("to follow", Self.joining(place.to, status.id, place.keyCommitment))
        }
        // A folder or a keyring is there for one host only, and on that one configuration is copied.
        if moved.isEmpty, ![FileBackend.scheme, LibsecretBackend.scheme].contains(status.location.scheme) {
            let place = status.location.description
            sheet.add("on another host", Self.joining(place, status.id, status.keyCommitment))
        }
        session.terminal.show(sheet)
        return .done
    }

    private static func joining(_ place: String, _ id: UUIDv7, _ keyCommitment: String) -> String {
        [
            "keyover", "vault", "join", "--vault", place, "--vault-id", id.description, "--key-commitment",
            keyCommitment,
        ].map(\.shellQuoted).joined(separator: " ")
    }

    /// The marks of what lives in another vault by now.
    private static func relocations(_ vault: any Vault) async throws -> [Relocation] {
        try await vault.summaries(TenantRecord.self).compactMap(\.record.moved)
            + vault.summaries(ClientRecord.self).compactMap(\.record.moved)
    }

    private struct View: Encodable {
        let location: String
        let id: UUIDv7
        let keyCommitment: String
        let isPinned: Bool
        let recipients: [String]
        let metadataRecipients: [String]
        let identity: String?
        let opensValues: Bool
        let state: String
        let highWaterMark: String?
        let backupAt: Timestamp?
        let backupState: String?
        let records: [String: Int]
        let consumers: Int
        let byteCount: Int
        let movedTo: String?
        let movedRecords: Int

        init(
            _ status: VaultStatus, _ backup: (at: Timestamp, mark: String)?, _ moved: [Relocation],
            _ identity: IdentityPlace?, isPinned: Bool
        ) {
            movedTo = moved.first?.to
            movedRecords = moved.count
            location = status.location.description
            id = status.id
            keyCommitment = status.keyCommitment
            self.isPinned = isPinned
            recipients = status.audience.full.map(\.description)
            metadataRecipients = status.audience.metadataOnly.map(\.description)
            self.identity = identity?.description
            opensValues = status.opensValues
            state = status.mark.description
            highWaterMark = status.highWaterMark?.description
            backupAt = backup?.at
            backupState = backup?.mark
            records = status.records
            consumers = status.ledgerEntries
            byteCount = status.byteCount
        }
    }
}

import KeyoverCore
import KeyoverEngine
import KeyoverSealing
import KeyoverVaults

/// What a migration is about and how far it has come.
struct MigrationView: Encodable {
    /// How far it has come.
    enum Stage: String, Encodable {
        case planned, copied, moved
    }

    let from: String
    let to: String
    let vaultID: String
    /// The commitment to the new keys; `nil` while there is no new vault.
    var keyCommitment: String?
    private(set) var stage = Stage.planned
    let tenants: Int
    let clients: Int
    /// How many records had to be written.
    var written = 0
    /// All hosts that have changed something in the vault.
    let hosts: [String]
    private let thisHost: String
    private let isFolder: (from: Bool, to: Bool)
    private let folder: String

    private enum CodingKeys: String, CodingKey {
        case from, to, vaultID, keyCommitment, stage, tenants, clients, written, hosts
    }

    init(from: VaultURL, to: VaultURL, in workspace: Workspace) async throws {
        let vault = workspace.vault
        self.from = from.description
        self.to = to.description
        vaultID = vault.id
        tenants = try await vault.summaries(TenantRecord.self).count
        clients = try await vault.summaries(ClientRecord.self).count
        hosts = try await vault.summaries(HostRecord.self).map(\.record.name.description)
        thisHost = workspace.audit.host.description
        isFolder = (from.scheme == FileBackend.scheme, to.scheme == FileBackend.scheme)
        folder = from.location
    }

    private var others: [String] { hosts.filter { $0 != thisHost } }

    /// Who will notice, and how.
    var consequences: [String] {
        var lines = ["\(from.printable) will give out no secret any more; this host will use \(to.printable)."]
        if !others.isEmpty {
            lines.append("These hosts have used it too, and have to follow at once: \(others.joined(separator: ", "))")
        }
        if !others.isEmpty, isFolder.to { lines.append("The new place is a folder of this host alone.") }
        return lines
    }

    /// Says how far it has come, and what to do next.
    func show(_ stage: Stage, _ format: OutputFormat, on terminal: Terminal) throws {
        if format == .json {
            var view = self
            view.stage = stage
            return try terminal.show(json: view)
        }
        var sheet = Sheet()
        sheet.add("from", from.printable)
        sheet.add("to", to.printable)
        sheet.add("vault id", vaultID)
        sheet.add("key commitment", keyCommitment)
        sheet.add("tenants", String(tenants))
        sheet.add("clients", String(clients))
        sheet.add("hosts", hosts.joined(separator: ", "))
        terminal.show(sheet)
        terminal.print("")
        for line in lines(stage) { terminal.print(line) }
    }

    private func lines(_ stage: Stage) -> [String] {
        let command = "keyover vault migrate --to \(to.shellQuoted)"
        switch stage {
        case .planned:
            return [keyCommitment == nil ? "Nothing is there yet." : "The copy that was begun is there."] + consequences
                + ["Next: \(command)"]
        case .copied:
            return [
                "Everything is copied, read back and compared (\(written) records written). Nothing has changed yet."
            ] + consequences + ["Next: \(command) --yes, with the same options for over there"]
        case .moved:
            var lines = ["Everything has moved, and this host uses the new vault."]
            if !others.isEmpty {
                let join =
                    "keyover vault join --vault \(to.shellQuoted) --key-commitment \(keyCommitment ?? "")"
                lines.append("Type on \(others.joined(separator: ", ")): \(join)")
            }
            lines.append("The old vault still holds live secrets, and its marks tell other hosts where they are now.")
            let removal = isFolder.from ? "rm -r \(folder.shellQuoted)" : "remove \(from.printable)"
            lines.append("When all have followed: \(removal)")
            return lines
        }
    }
}

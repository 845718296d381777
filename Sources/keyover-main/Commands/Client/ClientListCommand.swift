import ArgumentParser
import KeyoverCore
import KeyoverEngine

/// `keyover client list`.
struct ClientListCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the clients.")

    @OptionGroup var globals: GlobalOptions

    @Option(help: ArgumentHelp("Only those of a tenant.", valueName: "name"))
    var tenant: TenantName?

    @OptionGroup var form: FormatOption

    func run(in session: Session) async throws -> ExitStatus {
        let clients = try await session.openVault().summaries(ClientRecord.self).map(\.record)
            .filter { tenant == nil || $0.registration.tenant == tenant }
        if form.format == .json {
            try session.terminal.show(json: clients.map { ClientView($0) })
            return .done
        }
        var table = Table("CLIENT", "TENANT", "GEN", "ISSUED", "STAGE", "OWNER")
        table.rows = clients.map { client in
            [
                client.name.description, client.registration.tenant.description, String(client.generation),
                (client.primary.issuedAt ?? client.primary.storedAt).day,
                client.isToBeRecovered ? "restored" : client.rotation?.stage.rawValue ?? "idle",
                client.registration.owner?.printable ?? "-",
            ]
        }
        session.terminal.show(table)
        if clients.isEmpty { session.terminal.note("no clients yet; adopt one with keyover client add") }
        return .done
    }
}

import ArgumentParser
import KeyoverCore

/// `keyover tenant list`.
struct TenantListCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the provider accounts.")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var form: FormatOption

    func run(in session: Session) async throws -> ExitStatus {
        let tenants = try await session.openVault().summaries(TenantRecord.self).map(\.record)
        if form.format == .json {
            try session.terminal.show(json: tenants.map { TenantView($0, wasReadWithValues: false) })
            return .done
        }
        var table = Table("TENANT", "PROVIDER", "REGION", "BASE URL")
        table.rows = tenants.map { tenant in
            [
                tenant.name.description, tenant.provider, tenant.region?.printable ?? "-",
                tenant.baseURL?.printable ?? "-",
            ]
        }
        session.terminal.show(table)
        if tenants.isEmpty { session.terminal.note("no tenants yet; add one with keyover tenant add") }
        return .done
    }
}

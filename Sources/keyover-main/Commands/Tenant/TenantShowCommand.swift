import ArgumentParser
import KeyoverCore

/// `keyover tenant show`.
struct TenantShowCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a provider account.")

    @OptionGroup var globals: GlobalOptions

    @Argument(help: ArgumentHelp("The tenant.", valueName: "name"))
    var name: TenantName

    @OptionGroup var form: FormatOption

    func run(in session: Session) async throws -> ExitStatus {
        let workspace = try await session.openWorkspace()
        let tenant = try await workspace.tenant(name).record
        // Whoever was granted metadata only cannot tell an absent credential from a sealed one.
        let opensValues = (try? await workspace.vault.derivedKey(for: .fingerprint)) != nil
        if form.format == .json {
            try session.terminal.show(json: TenantView(tenant, wasReadWithValues: opensValues))
            return .done
        }
        var sheet = Sheet()
        sheet.add("tenant", tenant.name.description)
        sheet.add("provider", tenant.provider)
        sheet.add("region", tenant.region?.printable)
        sheet.add("base URL", tenant.baseURL?.printable)
        let credential = opensValues ? "none" : "cannot be read with this identity"
        sheet.add("admin credential", tenant.adminCredential == nil ? credential : "held in the vault")
        for (key, value) in tenant.settings.sorted(by: { $0.key < $1.key }) { sheet.add(key, value.printable) }
        sheet.add("added", tenant.createdAt.minute)
        session.terminal.show(sheet)
        return .done
    }
}

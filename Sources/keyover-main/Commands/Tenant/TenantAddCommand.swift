import ArgumentParser
import KeyoverCore
import KeyoverProviders

/// `keyover tenant add`.
struct TenantAddCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a provider account.",
        discussion: "Providers: "
            + ProviderRegistry.all.map { "\($0.kind) (\($0.summary))" }.joined(separator: "; ") + ".")

    @OptionGroup var globals: GlobalOptions

    @Argument(help: ArgumentHelp("What to call it.", valueName: "name"))
    var name: TenantName

    @Option(help: "The kind of provider.", completion: .list(ProviderRegistry.all.map(\.kind)))
    var provider: String

    @OptionGroup var options: TenantOptions
    @OptionGroup var why: ReasonOption

    func run(in session: Session) async throws -> ExitStatus {
        let kind = try ProviderRegistry.kind(named: provider)
        let workspace = try await session.openWorkspace()
        var tenant = TenantRecord(
            id: workspace.freshID(), name: name, provider: kind.kind, createdAt: workspace.now.wall)
        try options.apply(to: &tenant, in: session)
        _ = try workspace.provider(of: tenant)
        try await workspace.add(tenant, reason: why.reason)
        session.terminal.note("added tenant \(name); next: keyover client add NAME --tenant \(name) --client-id ID")
        return .done
    }
}

import ArgumentParser
import KeyoverCore

/// `keyover tenant remove`.
struct TenantRemoveCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Forget a provider account that no client uses.")

    @OptionGroup var globals: GlobalOptions

    @Argument(help: ArgumentHelp("The tenant.", valueName: "name"))
    var name: TenantName

    @OptionGroup var why: ReasonOption
    @OptionGroup var confirmation: YesOption

    func run(in session: Session) async throws -> ExitStatus {
        let workspace = try await session.openWorkspace()
        let current = try await workspace.tenant(name)
        try await workspace.demandUnused(name)
        try confirmation.demand("Forget tenant \(name) and its admin credential?", in: session)
        try await workspace.remove(current, reason: why.reason)
        session.terminal.note("removed tenant \(name)")
        return .done
    }
}

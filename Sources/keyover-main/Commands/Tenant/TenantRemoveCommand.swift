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
        let users = try await workspace.vault.summaries(ClientRecord.self)
            .filter { $0.record.registration.tenant == name }.map(\.record.name.description)
        guard users.isEmpty else {
            throw ConfigurationError(
                .invalidValue, "tenant \(name) is used by \(users.joined(separator: ", "))",
                remedy: "remove the clients first, with keyover client remove NAME")
        }
        try confirmation.demand("Forget tenant \(name) and its admin credential?", in: session)
        try await workspace.note("tenant.removed", current.record, [:], reason: why.reason)
        try await workspace.vault.delete(name, expecting: current.revision)
        session.terminal.note("removed tenant \(name)")
        return .done
    }
}

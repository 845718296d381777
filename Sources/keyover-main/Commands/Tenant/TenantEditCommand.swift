import ArgumentParser
import KeyoverCore

/// `keyover tenant edit`.
struct TenantEditCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Change a provider account.",
        discussion: "Whoever changes the base URL decides where the admin credential is sent, and is asked.")

    @OptionGroup var globals: GlobalOptions

    @Argument(help: ArgumentHelp("The tenant.", valueName: "name"))
    var name: TenantName

    @OptionGroup var options: TenantOptions
    @OptionGroup var why: ReasonOption
    @OptionGroup var confirmation: YesOption

    func run(in session: Session) async throws -> ExitStatus {
        let workspace = try await session.openWorkspace()
        let current = try await workspace.tenant(name)
        try current.record.requireHere()
        var tenant = current.record
        try options.apply(to: &tenant, in: session)
        guard tenant != current.record else {
            session.terminal.note("nothing was changed")
            return .done
        }
        _ = try workspace.provider(of: tenant)
        if tenant.destination != current.record.destination {
            let place = tenant.destination?.printable ?? "another place"
            try confirmation.demand("Secrets of \(name) will be sent to \(place). Go on?", in: session)
        }
        _ = try await workspace.vault.write(tenant, expecting: current.revision)
        try await workspace.note(
            "tenant.edited", tenant, FieldChange.details(current.record.changes(to: tenant)), reason: why.reason)
        session.terminal.note("changed tenant \(name)")
        return .done
    }
}

extension YesOption {
    /// Asks when a person is there; elsewhere `--yes` has to say it.
    func demand(_ question: String, in session: Session) throws {
        if yes { return }
        guard Confirmation.isPossible else {
            throw UsageError(
                "this needs a confirmation: \(question)", remedy: "run the command again with --yes")
        }
        try Confirmation(terminal: session.terminal).demand(question)
    }
}

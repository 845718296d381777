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
        try await workspace.note("tenant.edited", tenant, details(current.record, tenant), reason: why.reason)
        session.terminal.note("changed tenant \(name)")
        return .done
    }

    private func details(_ old: TenantRecord, _ new: TenantRecord) -> [String: String] {
        var details: [String: String] = [:]
        if old.region != new.region { details["region"] = new.region ?? "" }
        if old.baseURL != new.baseURL { details["baseURL"] = new.baseURL ?? "" }
        if old.adminCredential != new.adminCredential { details["adminCredential"] = "replaced" }
        for key in Set(old.settings.keys).union(new.settings.keys) where old.settings[key] != new.settings[key] {
            details["setting.\(key)"] = new.settings[key] ?? ""
        }
        return details
    }
}

extension TenantRecord {
    /// Where secrets of the tenant's clients, or its own, are sent.
    fileprivate var destination: String? { baseURL ?? settings["token_url"] }
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

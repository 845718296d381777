import ArgumentParser
import KeyoverCore

/// `keyover client edit`.
struct ClientEditCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Change what is registered for a client.",
        discussion: """
            An empty value takes a setting back, as in --owner ''. Whoever changes the token URL decides where the \
            secret is sent, and is asked.
            """)

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var client: ClientArgument
    @OptionGroup var options: RegistrationOptions

    @Option(help: ArgumentHelp("The provider's id of the primary secret.", valueName: "id"))
    var secretID: String?

    @OptionGroup var why: ReasonOption
    @OptionGroup var confirmation: YesOption

    func run(in session: Session) async throws -> ExitStatus {
        let workspace = try await session.openWorkspace()
        let before = try await workspace.client(client.name).record
        let tenant = try await workspace.tenant(before.registration.tenant).record
        let provider = try workspace.provider(of: tenant)
        func edited(_ record: ClientRecord) throws -> ClientRecord {
            var next = record
            options.apply(to: &next.registration)
            next.registration.tokenURL = next.registration.tokenURL ?? provider.tokenURL
            try apply(secretID, to: &next)
            return next
        }
        let preview = try edited(before)
        guard preview != before else {
            session.terminal.note("nothing was changed")
            return .done
        }
        _ = try Strategies.choose(for: preview, provider: provider)
        _ = try workspace.policy(for: preview)
        if let secretID { try await check(SecretID(secretID), of: before, at: provider) }
        if preview.registration.tokenURL != before.registration.tokenURL {
            let url = preview.registration.tokenURL?.printable ?? "nowhere"
            try confirmation.demand("The secret of \(client.name) will be sent to \(url). Go on?", in: session)
        }
        try await workspace.change(client.name, action: "client.edited", reason: why.reason) { record in
            let next = try edited(record)
            defer { record = next }
            return details(record, next)
        }
        session.terminal.note("changed \(client.name)")
        return .done
    }

    private func apply(_ text: String?, to record: inout ClientRecord) throws {
        guard let text else { return }
        guard record.rotation == nil else {
            throw RotationError(
                .inProgress, "a rotation of \(record.name) is in progress, so its secrets are not touched",
                remedy: "run keyover status \(record.name)")
        }
        let id = text.isEmpty ? nil : SecretID(text)
        record.owned.removeAll { $0.secretID == record.primary.secretID }
        record.primary.secretID = id
        if let id { record.owned.append(OwnedSecret(secretID: id, tag: nil, since: record.primary.storedAt)) }
    }

    private func check(_ id: SecretID, of record: ClientRecord, at provider: any Provider) async throws {
        guard !id.description.isEmpty, let listing = ProviderPowers(provider).listing else { return }
        let listed = try await listing.secrets(
            of: ClientReference(name: record.name, clientID: record.primary.clientID))
        guard listed.contains(where: { $0.id == id }) else {
            throw ConfigurationError(
                .invalidValue, "the provider lists no secret \(id.description.printable)", remedy: "correct --secret-id"
            )
        }
    }

    private func details(_ old: ClientRecord, _ new: ClientRecord) -> [String: String] {
        var details = FieldChange.details(old.registration.changes(to: new.registration))
        let (from, to) = (old.primary.secretID, new.primary.secretID)
        if from != to { details["secretID"] = to?.description ?? "" }
        return details
    }
}

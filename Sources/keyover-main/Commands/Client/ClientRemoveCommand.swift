import ArgumentParser
import KeyoverCore

/// `keyover client remove`.
struct ClientRemoveCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Forget a client; at the provider nothing is changed.")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var client: ClientArgument
    @OptionGroup var why: ReasonOption
    @OptionGroup var confirmation: YesOption

    func run(in session: Session) async throws -> ExitStatus {
        let workspace = try await session.openWorkspace()
        let current = try await workspace.client(client.name)
        try current.record.demandRemovable()
        try confirmation.demand(
            "Forget \(client.name)? Its secret goes with it, and the provider shows none again.", in: session)
        try await workspace.remove(current, reason: why.reason)
        session.terminal.note("removed \(client.name); its secrets at the provider work as before")
        return .done
    }
}

extension ClientRecord {
    /// Refuses while a rotation is in progress: what it has begun at the provider would be forgotten half-way.
    func demandRemovable() throws(RotationError) {
        guard rotation == nil else {
            throw RotationError(
                .inProgress, "a rotation of \(name) is in progress", remedy: "end it first: keyover status \(name)")
        }
    }
}

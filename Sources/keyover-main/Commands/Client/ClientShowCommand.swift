import ArgumentParser
import KeyoverCore

/// `keyover client show`.
struct ClientShowCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what is registered for a client; never its secret.")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var client: ClientArgument
    @OptionGroup var form: FormatOption

    func run(in session: Session) async throws -> ExitStatus {
        let workspace = try await session.openWorkspace()
        let record = try await workspace.client(client.name).record
        if form.format == .json {
            try session.terminal.show(json: ClientView(record))
            return .done
        }
        var sheet = Sheet()
        sheet.add(registrationOf: record)
        sheet.add("generation", String(record.generation))
        sheet.add(.primary, record.primary, isActive: record.active == .primary)
        if let secondary = record.secondary { sheet.add(.secondary, secondary, isActive: record.active == .secondary) }
        sheet.add(restored: record.restored)
        sheet.add("stage", record.rotation?.stage.rawValue ?? "idle")
        sheet.add("added", record.createdAt.minute)
        for entry in try await workspace.vault.ledger(of: record.name) {
            let isLive = entry.isLive(at: workspace.now)
            sheet.add(
                "consumer",
                "\(entry.consumer) generation \(entry.generation), seen \(entry.seen.wall.minute)"
                    + (isLive ? "" : ", lease expired"))
        }
        session.terminal.show(sheet)
        return .done
    }
}

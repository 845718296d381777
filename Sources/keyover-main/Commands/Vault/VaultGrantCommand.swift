import ArgumentParser
import KeyoverCore
import KeyoverSealing
import KeyoverVaults

/// `keyover vault grant`.
struct VaultGrantCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "grant", abstract: "Let somebody else open the vault.",
        discussion: """
            With --metadata-only for auditors and compliance jobs: they list, audit and verify, and read no secret. \
            Somebody is kept out again by keyover vault rekey --remove.
            """)

    @OptionGroup var globals: GlobalOptions

    @Argument(help: ArgumentHelp("Who: age1...; may be repeated.", valueName: "recipient"))
    var recipients: [VaultRecipient]

    @Flag(help: "Grant what lists, schedules and audits need, and no secret value.")
    var metadataOnly = false

    @OptionGroup var why: ReasonOption
    @OptionGroup var form: FormatOption

    static var isCancelledBySignals: Bool { false }

    func validate() throws {
        if recipients.contains(.passphrase) {
            throw ValidationError("a passphrase is set by keyover vault rekey --passphrase")
        }
    }

    func run(in session: Session) async throws -> ExitStatus {
        let workspace = try await session.openWorkspace()
        let vault = try workspace.rekeyable()
        let before = vault.audience
        let fresh = recipients.filter { !before.full.contains($0) && !before.metadataOnly.contains($0) }
        let promoted = metadataOnly ? [] : recipients.filter { before.metadataOnly.contains($0) }
        let after = try VaultAudience(
            full: before.full + (metadataOnly ? [] : fresh + promoted),
            metadataOnly: before.metadataOnly.filter { !promoted.contains($0) } + (metadataOnly ? fresh : []))
        if after != before {
            try await workspace.demandValueAccess()
            let added = (fresh + promoted).map(\.description).joined(separator: " ")
            try await workspace.note(
                "vault.granted", [metadataOnly ? "metadata" : "full": added], reason: why.reason)
            try await vault.grant(to: after)
        }
        try show(after, hasChanged: after != before, on: session.terminal)
        if after != before { try await session.reloaded().openWorkspace().backUpIfChanged() }
        return .done
    }

    private func show(_ audience: VaultAudience, hasChanged: Bool, on terminal: Terminal) throws {
        if form.format == .json {
            return try terminal.show(
                json: View(
                    changed: hasChanged, recipients: audience.full.map(\.description),
                    metadataRecipients: audience.metadataOnly.map(\.description)))
        }
        if !hasChanged { terminal.print("Nothing to do: whoever you named can do that already.") }
        var sheet = Sheet()
        for recipient in audience.full { sheet.add("opened by", recipient.description) }
        for recipient in audience.metadataOnly { sheet.add("metadata for", recipient.description) }
        terminal.show(sheet)
    }

    private struct View: Encodable {
        let changed: Bool
        let recipients: [String]
        let metadataRecipients: [String]
    }
}

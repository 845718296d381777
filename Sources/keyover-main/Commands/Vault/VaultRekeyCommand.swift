import ArgumentParser
import KeyoverCore
import KeyoverSealing
import KeyoverVaults

/// `keyover vault rekey`.
struct VaultRekeyCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "rekey", abstract: "Replace the vault's keys, and say who can open it from now on.",
        discussion: """
            Everything is sealed anew in one transaction; interrupted at any instant, the same command finishes it. Who \
            is removed keeps what he copied before: rotate the secrets that he could read. Backups made before open \
            with the old recipients.
            """)

    @OptionGroup var globals: GlobalOptions

    @Option(help: ArgumentHelp("Who else shall open it: age1...; may be repeated.", valueName: "recipient"))
    var add: [VaultRecipient] = []

    @Option(
        help: ArgumentHelp(
            "Who shall not any longer, full or metadata only: age1... or passphrase; may be repeated.",
            valueName: "recipient"))
    var remove: [VaultRecipient] = []

    @Flag(help: "Ask for a passphrase on the terminal, which alone opens the vault from then on.")
    var passphrase = false

    @OptionGroup var why: ReasonOption
    @OptionGroup var confirmation: YesOption
    @OptionGroup var form: FormatOption

    static var isCancelledBySignals: Bool { false }

    func validate() throws {
        if passphrase, !add.isEmpty {
            throw ValidationError("a passphrase must be the only way into a vault: leave out --add")
        }
        if add.contains(.passphrase) { throw ValidationError("to use a passphrase give --passphrase") }
    }

    func run(in session: Session) async throws -> ExitStatus {
        let workspace = try await session.openWorkspace()
        let vault = try workspace.rekeyable()
        // The new keys would be of the same epoch as those at the new place.
        for record in try await workspace.vault.summaries(TenantRecord.self) { try record.record.requireHere() }
        for record in try await workspace.vault.summaries(ClientRecord.self) { try record.record.requireHere() }
        let before = vault.audience
        let after = try audience(from: before, isLenient: vault.isBetweenEpochs)
        let editor = try ConfigurationEditor.editing(.keyCommitment, of: session.settings)
        // An identity that is configured would be tried, and its failure would be final.
        let identity = passphrase ? try ConfigurationEditor.editing(.identity, of: session.settings) : nil
        try demandConsent(before, after, in: session)
        let new = passphrase ? try newPassphrase(session.terminal) : nil
        try await workspace.demandValueAccess()
        let details = Self.details(from: before, to: after)
        try await workspace.note("vault.rekeying", details, reason: why.reason)
        let pin = try await vault.rekey(for: after, passphrase: new, marking: nil) { commitments throws(VaultError) in
            try editor?.set(.keyCommitment, to: VaultPin(vaultID: nil, commitments: commitments).commitmentText)
        }
        try identity?.remove(.identity)
        // Whoever leaves a passphrase behind may not be able to open the vault as yet.
        let opensAfter = before.full != [.passphrase] || after.full == [.passphrase]
        let rekeyed = opensAfter ? try await session.reloaded(knowing: new).openWorkspace() : nil
        try await rekeyed?.note("vault.rekeyed", details, reason: why.reason)
        try show(pin, before, after, isPinned: editor != nil, on: session.terminal)
        try await rekeyed?.backUpIfChanged()
        return .done
    }

    private func audience(from before: VaultAudience, isLenient: Bool) throws(VaultError) -> VaultAudience {
        let present = before.full + before.metadataOnly
        if !isLenient, let stranger = remove.first(where: { !present.contains($0) }) {
            throw VaultError(
                .invalid, "\(stranger) cannot open the vault anyway", remedy: "see keyover vault status")
        }
        if passphrase { return try VaultAudience(full: [.passphrase]) }
        let full = before.full + add.filter { !before.full.contains($0) }
        return try VaultAudience(
            full: full.filter { !remove.contains($0) },
            metadataOnly: before.metadataOnly.filter { !remove.contains($0) && !add.contains($0) })
    }

    private func demandConsent(_ before: VaultAudience, _ after: VaultAudience, in session: Session) throws {
        let gone = (before.full + before.metadataOnly).filter { !(after.full + after.metadataOnly).contains($0) }
        guard !gone.isEmpty else { return }
        try confirmation.demand(
            "Replace the vault's keys, and keep out \(gone.map(\.description).joined(separator: ", "))?", in: session)
    }

    private func newPassphrase(_ terminal: Terminal) throws -> ScryptPassphrase {
        try ScryptPassphrase(SecretInput(terminal: terminal).chosenPassphrase(for: "the vault"))
    }

    private static func details(from before: VaultAudience, to after: VaultAudience) -> [String: String] {
        func words(_ recipients: [VaultRecipient]) -> String { recipients.map(\.description).joined(separator: " ") }
        return [
            "added": words(after.full.filter { !before.full.contains($0) }),
            "removed": words(
                (before.full + before.metadataOnly).filter { !(after.full + after.metadataOnly).contains($0) }),
        ].filter { !$0.value.isEmpty }
    }

    private func show(
        _ pin: VaultPin, _ before: VaultAudience, _ audience: VaultAudience, isPinned: Bool, on terminal: Terminal
    ) throws {
        if form.format == .json {
            return try terminal.show(
                json: View(
                    keyCommitment: pin.commitmentText, recipients: audience.full.map(\.description),
                    metadataRecipients: audience.metadataOnly.map(\.description)))
        }
        var sheet = Sheet()
        sheet.add("key commitment", pin.commitmentText)
        for recipient in audience.full { sheet.add("opened by", recipient.description) }
        for recipient in audience.metadataOnly { sheet.add("metadata for", recipient.description) }
        terminal.show(sheet)
        if isPinned {
            terminal.print("The new key_commitment is in the configuration of this host; other hosts need it too.")
        }
        if before.full == [.passphrase], audience.full != [.passphrase] {
            terminal.print("The passphrase opens it no longer: set identity in config.yaml, or give --identity FILE.")
        }
        if !remove.isEmpty {
            terminal.print("Who was removed may have copied what he could read: keyover rotate --all --reason TEXT")
            terminal.print("The same goes for the admin credentials of tenants: keyover tenant edit NAME --admin-stdin")
        }
    }

    private struct View: Encodable {
        let keyCommitment: String
        let recipients: [String]
        let metadataRecipients: [String]
    }
}

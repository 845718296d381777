import ArgumentParser
import KeyoverCore
import KeyoverEngine
import KeyoverSealing
import KeyoverVaults

/// `keyover vault restore`.
struct VaultRestoreCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Make the vault out of a backup, or accept an older copy of it.",
        discussion: """
            The vault gets new keys and a new epoch, and every client is marked: no provider is called for it and its \
            secret is not given out before keyover recover has looked which secrets still work.

            Without FILE, --accept-older accepts the vault as it lies there, though this host has seen a newer state. \
            What happened after that state is then lost to Keyover.
            """)

    @OptionGroup var globals: GlobalOptions

    @Argument(help: ArgumentHelp("The backup.", valueName: "file"), completion: .file())
    var file: String?

    @Flag(help: "Go back to a state older than one that this host has seen.")
    var acceptOlder = false

    @Flag(help: "Let the vault that is there give way; it is kept under another name.")
    var replace = false

    @Option(
        help: ArgumentHelp("Who else can open the restored vault: age1...; may be repeated.", valueName: "recipient"))
    var recipient: [VaultRecipient] = []

    @OptionGroup var why: ReasonOption
    @OptionGroup var confirmation: YesOption
    @OptionGroup var form: FormatOption

    static var isCancelledBySignals: Bool { false }

    func validate() throws {
        if file == nil, !acceptOlder { throw ValidationError("name the FILE of a backup, or give --accept-older") }
        if file == nil, replace || !recipient.isEmpty {
            throw ValidationError("--replace and --recipient go with a FILE")
        }
    }

    func run(in session: Session) async throws -> ExitStatus {
        let (report, workspace) =
            if let file { try await restore(file, in: session) } else { try await acceptOlder(in: session) }
        if form.format == .json {
            try session.terminal.show(json: report)
        } else {
            report.show(on: session.terminal)
        }
        try await workspace.backUpIfChanged()
        return .done
    }

    // MARK: From a file

    private func restore(_ path: String, in session: Session) async throws -> (RestoreView, Workspace) {
        // Two restores at once could leave the vault of one and the pins of the other.
        let lock = try PrivateDirectory.make(session.settings.stateDirectory, rule: .ownerWrites)
            .lock(patience: .seconds(5))
        defer { withExtendedLifetime(lock) {} }
        let session = session.reloaded()
        let settings = try session.settings
        let backup = try BackupFile(path, for: try await session.identities())
        session.terminal.note("checking \(path)")
        let survey = try backup.survey()
        let manifest = survey.manifest
        let mark = HighWaterMark(stateDirectory: settings.stateDirectory, vaultID: manifest.vaultID)
        let url = try session.vaultURL()
        let configuration = RestoredConfiguration(settings: settings, vault: url, survey: survey)
        try configuration.check()
        let highest = try refuseOlder(manifest, than: mark)
        try configuration.checkKeys(seen: highest, acceptingOlder: acceptOlder)
        try demandConsent(survey, url, in: session)

        let keeper = LogKeeper(AuditRestoration(stateDirectory: settings.stateDirectory))
        let plan = RestorePlan(
            identities: try await session.identities(), others: recipient,
            restoration: Restoration(at: SystemClock().now().wall, backedUpAt: manifest.createdAt),
            highest: { () throws(VaultError) in try mark.read() }, replaces: replace,
            pinning: { pin throws(VaultError) in
                try configuration.accept(pin)
                // Before the vault appears: one that expects a longer log than there is takes no changes.
                try keeper.finish()
            },
            read: { body throws(VaultError) in
                try backup.read { content in
                    try body(content)
                    try keeper.take(content)
                }
            })
        let restored = try await restored(url, plan)
        // From here on whoever still has the old vault open is turned away.
        try mark.raise(to: restored.mark)
        try configuration.settle(restored.pin)

        let workspace = try await session.reloaded().openWorkspace()
        try await HostMark(vault: workspace.vault, log: workspace.audit).update(startingAnew: !keeper.aside.isEmpty)
        try await workspace.note(
            "vault.restored", ["from": manifest.mark.description, "made": manifest.createdAt.description],
            reason: why.reason)
        let report = RestoreView(
            vault: url.description, state: restored.mark.description, backedUpAt: manifest.createdAt,
            clients: survey.clients, keyCommitment: restored.pin.commitmentText, replaced: restored.replaced,
            logsAside: keeper.aside)
        return (report, workspace)
    }

    private func restored(_ url: VaultURL, _ plan: RestorePlan) async throws(VaultError) -> RestoredVault {
        do {
            return try await VaultRegistry.restore(url, plan)
        } catch {
            guard error.code == .exists else { throw error }
            throw VaultError(
                .exists, "there is a vault at \(url) already; nothing was changed",
                remedy: "give --replace to let it give way; it is kept under another name", underlying: error)
        }
    }

    private func refuseOlder(_ manifest: BackupManifest, than mark: HighWaterMark) throws(VaultError) -> VaultMark? {
        let seen = try mark.read()
        if let seen, manifest.mark < seen, !acceptOlder {
            throw VaultError(
                .notTrusted,
                "the backup is of state \(manifest.mark), and this host has seen \(seen): what happened since is not in it",
                remedy: "look for a newer backup, or give --accept-older")
        }
        return seen
    }

    private func demandConsent(_ survey: BackupFile.Survey, _ url: VaultURL, in session: Session) throws {
        guard replace else { return }
        try confirmation.demand(
            "Let the vault at \(url) give way to the backup of \(survey.manifest.createdAt) "
                + "with \(survey.clients) clients?", in: session)
    }

    // MARK: As it lies there

    private func acceptOlder(in session: Session) async throws -> (RestoreView, Workspace) {
        let workspace = try await session.openWorkspace(acceptingOlder: true)
        let vault = try workspace.rekeyable()
        let editor = try ConfigurationEditor.editing(.keyCommitment, of: session.settings)
        let count = try await workspace.vault.summaries(ClientRecord.self).count
        guard try await isOlder(workspace.vault) || vault.isBetweenEpochs else {
            session.terminal.note("nothing to do: the vault is not older than this host has seen it")
            try await HostMark(vault: workspace.vault, log: workspace.audit).update()
            return (try await report(on: workspace, clients: count, in: session), workspace)
        }
        try confirmation.demand("Accept the vault as it lies there, older than it was?", in: session)
        let now = workspace.now.wall
        _ = try await vault.rekey(
            for: vault.audience, passphrase: nil, marking: Restoration(at: now, backedUpAt: now)
        ) { commitments throws(VaultError) in
            try editor?.set(.keyCommitment, to: VaultPin(vaultID: nil, commitments: commitments).commitmentText)
        }
        let restored = try await session.reloaded().openWorkspace()
        // The log of this host went on after the accepted state, so it is the log that is right.
        try await HostMark(vault: restored.vault, log: restored.audit).update()
        try await restored.note("vault.acceptedOlder", [:], reason: why.reason)
        return (try await report(on: restored, clients: count, in: session), restored)
    }

    /// Whether this host has seen a newer state; otherwise there is no reason to mark a client.
    private func isOlder(_ vault: any Vault) async throws -> Bool {
        guard let status = try await (vault as? any InspectableVault)?.status() else { return true }
        return status.highWaterMark.map { status.mark < $0 } ?? false
    }

    private func report(on workspace: Workspace, clients: Int, in session: Session) async throws -> RestoreView {
        let status = try await (workspace.vault as? any InspectableVault)?.status()
        return RestoreView(
            vault: try session.vaultURL().description, state: status?.mark.description ?? "", backedUpAt: nil,
            clients: clients, keyCommitment: status?.keyCommitment ?? "", replaced: nil, logsAside: [])
    }
}

import ArgumentParser
import KeyoverCore
import KeyoverSealing
import KeyoverVaults

/// `keyover vault migrate`.
struct VaultMigrateCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Move the vault to another place, of any kind.",
        discussion: """
            Everything is copied into a new vault with the same id and under new keys, read back and compared; nothing \
            has changed by then, and the command may be repeated. After a confirmation every client moves, the \
            configuration of this host follows, and the old vault gives out no secret any more. Interrupted at any \
            instant, the same command goes on. The old vault is left as it is for you to remove.
            """)

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var destination: DestinationOptions

    @Flag(help: "Only say what would be done.")
    var dryRun = false

    @Option(help: ArgumentHelp("Wait so long for rotations that are at work before anything moves.", valueName: "time"))
    var wait = TimeSpan.minutes(1)

    @OptionGroup var why: ReasonOption
    @OptionGroup var confirmation: YesOption
    @OptionGroup var form: FormatOption

    static var isCancelledBySignals: Bool { false }

    func run(in session: Session) async throws -> ExitStatus {
        let url = try destination.url()
        // Two of them, or one and a restore, would get in each other's way.
        let lock = try PrivateDirectory.make(session.settings.stateDirectory, rule: .ownerWrites)
            .lock(patience: .seconds(5))
        defer { withExtendedLifetime(lock) {} }
        let session = session.reloaded()
        let from = try session.vaultURL()
        guard from != url else { return try await conclude(session, url) }
        try session.settings.identity?.demandApart(from: url)

        let workspace = try await session.openWorkspace()
        var migration = try Migration(session, workspace, to: url, destination.settings(url))
        var report = try await MigrationView(from: from, to: url, in: workspace)
        if dryRun {
            report.keyCommitment = try await migration.openDestination() == nil ? nil : migration.note?.keyCommitment
            try report.show(.planned, form.format, on: session.terminal)
            return .done
        }
        let vault = try await migration.prepareDestination()
        report.keyCommitment = migration.note?.keyCommitment
        report.written = try await migration.copy(to: vault)
        guard try isConfirmed(report, session.terminal) else {
            try report.show(.copied, form.format, on: session.terminal)
            return .waiting
        }
        try await migration.move(to: vault, patience: wait, reason: why.reason)
        _ = try await Migration.conclude(session.reloaded(), at: url, reason: why.reason)
        try report.show(.moved, form.format, on: session.terminal)
        return .done
    }

    /// What is left to do when the configuration has followed already.
    private func conclude(_ session: Session, _ url: VaultURL) async throws -> ExitStatus {
        let wasLeft = try await Migration.conclude(session, at: url, reason: why.reason)
        session.terminal.note(wasLeft ? "the vault has moved to \(url)" : "nothing to do: the vault is at \(url)")
        return .done
    }

    private func isConfirmed(_ report: MigrationView, _ terminal: Terminal) throws -> Bool {
        if confirmation.yes { return true }
        guard Confirmation.isPossible else { return false }
        for line in report.consequences { terminal.insist(line) }
        return try Confirmation(terminal: terminal).ask("Move \(report.clients) clients to \(report.to.printable) now?")
    }
}

import ArgumentParser
import Glibc
import KeyoverCore
import KeyoverEngine
import KeyoverSealing
import KeyoverVaults

/// `keyover vault backup`.
struct VaultBackupCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Write everything into one encrypted file.",
        discussion: """
            The file is of age's format and opens for everybody who can open the vault, also with the stock program: \
            age -d FILE | tar -x. It holds the secrets, the keys, the audit logs of this host and the counters.

            With --after-rotation one is made now, as a trial, and from then on whenever something has changed; each is \
            handed to COMMAND on its standard input. A rotation does not retire the old secret before that succeeded, \
            unless it is --compromised.
            """)

    @OptionGroup var globals: GlobalOptions

    @Argument(
        help: ArgumentHelp("Where to write it; - is standard output. Nothing is overwritten.", valueName: "file"),
        completion: .file())
    var file: String?

    @Option(help: ArgumentHelp("Who else can open this backup: age1...; may be repeated.", valueName: "recipient"))
    var recipient: [VaultRecipient] = []

    @Option(
        help: ArgumentHelp(
            "An absolute path and arguments that store a backup read from standard input; none ends it.",
            valueName: "command"))
    var afterRotation: String?

    @OptionGroup var form: FormatOption

    func validate() throws {
        if (file == nil) == (afterRotation == nil) {
            throw ValidationError("name a FILE to write, or give --after-rotation COMMAND")
        }
        if recipient.contains(.passphrase) { throw ValidationError("--recipient takes public keys: age1...") }
    }

    func run(in session: Session) async throws -> ExitStatus {
        if let afterRotation { return try await register(afterRotation, in: session) }
        let path = file ?? "-"
        let isStream = path == "-"
        if isStream, isatty(STDOUT_FILENO) == 1 {
            throw ConfigurationError(
                .invalidValue, "a backup is not for a terminal", remedy: "name a file: keyover vault backup FILE")
        }
        let workspace = try await session.openWorkspace()
        let others = recipient.compactMap { recipient -> X25519Recipient? in
            guard case .key(let key) = recipient else { return nil }
            return key
        }
        let backup = Backup(workspace: workspace)
        let manifest: BackupManifest
        if isStream {
            let terminal = session.terminal
            manifest = try await backup.write(alsoTo: others) { terminal.emit($0) }
        } else {
            let place = FileSystem.absolute(path)
            if FileSystem.exists(place) {
                throw ConfigurationError(
                    .unwritable, "there is something at \(path) already",
                    remedy: "choose another name; nothing is overwritten")
            }
            let spool = try SpoolFile(in: FileSystem.parent(of: place))
            manifest = try await backup.write(alsoTo: others) { try spool.write($0) }
            try spool.publish(as: place)
        }
        backup.note.write(manifest)
        try show(manifest, path, isStream: isStream, on: session.terminal)
        return .done
    }

    private func show(_ manifest: BackupManifest, _ path: String, isStream: Bool, on terminal: Terminal) throws {
        guard !isStream else { return terminal.note("backup of state \(manifest.mark) written to standard output") }
        if form.format == .json {
            return try terminal.show(
                json: View(
                    file: FileSystem.absolute(path), vaultID: manifest.vaultID, state: manifest.mark.description,
                    createdAt: manifest.createdAt))
        }
        terminal.print("\(Styled.green("written", on: terminal.output)): \(path.printable), state \(manifest.mark)")
        terminal.note("It opens with the identities that open the vault; keep one of them apart from it.")
    }

    /// Remembers the command that takes backups, after trying it with one.
    private func register(_ command: String, in session: Session) async throws -> ExitStatus {
        let settings = try session.settings
        guard let path = settings.files.first.map(FileSystem.absolute) else {
            throw ConfigurationError(
                .unreadable, "there is no configuration to remember it in", remedy: "run keyover init")
        }
        let editor = try ConfigurationEditor.editing(.afterRotation, of: settings) ?? ConfigurationEditor(path: path)
        if command == "none" {
            try editor.remove(.afterRotation)
            session.terminal.note("no backup is made after changes any longer")
            return .done
        }
        try editor.demandEditable(.afterRotation, to: command)
        let backup = AutomaticBackup(Backup(workspace: try await session.openWorkspace()), command: command)
        try await backup.run(failingWith: "the trial failed, so the command is not remembered")
        try editor.set(.afterRotation, to: command)
        session.terminal.note("a backup was made and taken; one will be made after each change")
        return .done
    }

    private struct View: Encodable {
        let file: String
        let vaultID: UUIDv7
        let state: String
        let createdAt: Timestamp
    }
}

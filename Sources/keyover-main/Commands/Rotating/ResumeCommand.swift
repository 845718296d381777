import ArgumentParser
import KeyoverCore
import KeyoverEngine

/// `keyover resume`.
struct ResumeCommand: KeyoverSubcommand {
    static let isCancelledBySignals = false

    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Continue a rotation that waits, was interrupted, or needs attention.")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var client: ClientArgument

    @Flag(help: "Take the second secret, made at the provider's console, from standard input.")
    var secretStdin = false

    @Option(
        help: ArgumentHelp("Take it from a file that nobody else can read.", valueName: "file"), completion: .file())
    var secretFile: String?

    @Option(help: ArgumentHelp("The provider's id of that secret.", valueName: "id"))
    var secretID: String?

    @Flag(help: "The old secret was deleted at the provider's console.")
    var deleted = false

    @Option(help: ArgumentHelp("Do not wait for this consumer; may be repeated.", valueName: "consumer"))
    var acceptUndrained: [ConsumerName] = []

    @OptionGroup var drive: DriveOptions

    @Option(help: ArgumentHelp("Stop after this stage.", valueName: "stage"))
    var until: Stage?

    @OptionGroup var form: FormatOption

    func validate() throws {
        let brings = secretStdin || secretFile != nil
        if secretStdin, secretFile != nil { throw ValidationError("give --secret-stdin or --secret-file, not both") }
        guard [brings, deleted, !acceptUndrained.isEmpty].count(where: \.self) <= 1 else {
            throw ValidationError("say one thing at a time: a secret, --deleted, or --accept-undrained")
        }
        if secretID != nil, !brings { throw ValidationError("--secret-id goes with --secret-stdin or --secret-file") }
    }

    func run(in session: Session) async throws -> ExitStatus {
        let workspace = try await session.openWorkspace()
        let input = try input(session)
        let driving = Driving(session: session, workspace: workspace)
        let isAborting = try await workspace.client(client.name).record.isOnItsWayBack
        let report = await driving.drive(client.name) { outcome in
            outcome != .rolledBack || isAborting
        } _: { engine in
            try await engine.resume(
                client.name, input: input, options: RotationEngine.Options(wait: drive.wait, until: until))
        }
        return try await driving.finish(report, form)
    }

    private func input(_ session: Session) throws -> RotationEngine.Input {
        if deleted { return .deleted }
        if !acceptUndrained.isEmpty { return .acceptUndrained(acceptUndrained) }
        let reader = SecretInput(terminal: session.terminal)
        let id = secretID.map { SecretID($0) }
        if let secretFile { return .secret(MintedSecret(id: id, value: try reader.file(secretFile))) }
        guard secretStdin else { return .none }
        let value = try reader.standardInput(asking: "The second secret of \(client.name)")
        return .secret(MintedSecret(id: id, value: value))
    }
}

extension ClientRecord {
    /// Whether the rotation in progress was on its way back when it stopped.
    var isOnItsWayBack: Bool {
        guard let rotation else { return false }
        return rotation.isAborting || (rotation.attention?.from ?? rotation.stage).isRollingBack
    }
}

import ArgumentParser
import KeyoverCore
import KeyoverEngine
import KeyoverOAuth

/// `keyover client add`: adopts the secret that a client has; never rotates.
struct ClientAddCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Adopt a client with the secret it has; nothing is rotated.",
        discussion: """
            The secret comes from standard input (asked for on a terminal) or from a file that nobody else can read. \
            It is tried live before anything is stored.
            """)

    @OptionGroup var globals: GlobalOptions

    @Argument(help: ArgumentHelp("What to call it.", valueName: "name"))
    var name: ClientName

    @Option(help: ArgumentHelp("The tenant it belongs to.", valueName: "name"))
    var tenant: TenantName

    @Option(help: ArgumentHelp("The OAuth client id.", valueName: "id"))
    var clientID: String

    @Flag(help: "Take the secret from standard input (the default).")
    var secretStdin = false

    @Option(help: ArgumentHelp("Take the secret from a file.", valueName: "file"), completion: .file())
    var secretFile: String?

    @Option(help: ArgumentHelp("The provider's id of the secret, when it is known.", valueName: "id"))
    var secretID: String?

    @Option(help: ArgumentHelp("When the provider made the secret.", valueName: "date"))
    var issuedAt: Timestamp?

    @OptionGroup var options: RegistrationOptions

    @Flag(help: "Store the secret without trying it.")
    var noVerify = false

    @OptionGroup var why: ReasonOption
    @OptionGroup var form: FormatOption

    func validate() throws {
        if secretStdin, secretFile != nil { throw ValidationError("give --secret-stdin or --secret-file, not both") }
        if clientID.isEmpty { throw ValidationError("--client-id is empty") }
    }

    func run(in session: Session) async throws -> ExitStatus {
        let workspace = try await session.openWorkspace()
        if try await workspace.vault.read(name) != nil { throw exists() }
        let tenant = try await workspace.tenant(tenant).record
        let provider = try workspace.provider(of: tenant)
        let input = SecretInput(terminal: session.terminal)
        let secret =
            try secretFile.map { try input.file($0) } ?? input.standardInput(asking: "Secret of \(clientID.printable)")
        let adoption = Adoption(
            workspace: workspace, tenant: tenant, provider: provider, name: name, clientID: clientID, secret: secret)
        var registration = Registration(tenant: tenant.name)
        options.apply(to: &registration)
        let record = try await adoption.record(
            registration, verifying: !noVerify, secretID: secretID.map { SecretID($0) }, issuedAt: issuedAt)
        try await adoption.store(record, verified: !noVerify, reason: why.reason)
        if form.format == .json {
            try session.terminal.show(json: ClientView(record))
        } else {
            report(record, provider, session.terminal)
        }
        return .done
    }

    private func exists() -> ConfigurationError {
        ConfigurationError(
            .invalidValue, "there is a client named \(name) already",
            remedy: "look at it with keyover client show \(name), or choose another name")
    }

    private func report(_ record: ClientRecord, _ provider: any Provider, _ terminal: Terminal) {
        terminal.note(
            "adopted \(name)" + (noVerify ? ", without trying its secret" : "; its secret was accepted just now"))
        if let id = record.primary.secretID {
            terminal.note("the provider calls the secret \(id.description.printable)")
        } else if ProviderPowers(provider).removing != nil {
            terminal.note(
                "which of the provider's secrets it is could not be told: when it is rotated, a person will be asked to"
                    + " delete it; keyover client edit \(name) --secret-id ID spares that")
        }
        terminal.note("next: keyover rotate \(name) --dry-run")
    }
}

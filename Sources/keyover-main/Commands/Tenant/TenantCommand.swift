import ArgumentParser
import KeyoverCore
import KeyoverProviders

/// `keyover tenant`: the provider accounts.
struct TenantCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant", abstract: "Provider accounts: add, list, show, edit, remove.",
        subcommands: [
            TenantAddCommand.self, TenantListCommand.self, TenantShowCommand.self, TenantEditCommand.self,
            TenantRemoveCommand.self,
        ])
}

/// What `tenant add` and `tenant edit` take alike.
struct TenantOptions: ParsableArguments {
    @Option(help: "The provider's region.")
    var region: String?

    @Option(help: ArgumentHelp("Where the provider's interfaces are.", valueName: "url"))
    var baseURL: String?

    @Option(help: ArgumentHelp("A setting of the provider; may be repeated.", valueName: "key=value"))
    var set: [KeyValue] = []

    @Flag(help: "Take the credential that may administer clients from standard input.")
    var adminStdin = false

    @Option(
        help: ArgumentHelp("Take it from a file that nobody else can read.", valueName: "file"), completion: .file())
    var adminFile: String?

    func validate() throws {
        if adminStdin, adminFile != nil { throw ValidationError("give --admin-stdin or --admin-file, not both") }
    }

    /// Puts into the record what was given, and checks the whole as far as that goes without a call.
    func apply(to tenant: inout TenantRecord, in session: Session) throws {
        if let region { tenant.region = region }
        if let baseURL { tenant.baseURL = baseURL }
        // An empty value takes a setting back.
        for setting in set { tenant.settings[setting.key] = setting.value.isEmpty ? nil : setting.value }
        let input = SecretInput(terminal: session.terminal)
        if adminStdin {
            tenant.adminCredential = try input.standardInput(asking: "Admin credential of \(tenant.name)")
        } else if let adminFile {
            tenant.adminCredential = try input.file(adminFile)
        }
    }
}

import ArgumentParser
import KeyoverCore
import KeyoverOAuth
import KeyoverProviders

/// `keyover client import`: adopts many clients with the secrets they have; never rotates.
struct ClientImportCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Adopt many clients with the secrets they have; nothing is rotated.",
        discussion: """
            A CSV file begins with a row of headings: \(ImportColumn.words). An .env file holds NAME_CLIENT_ID and \
            NAME_CLIENT_SECRET, perhaps NAME_TOKEN_URL and NAME_SCOPE, for each client. All of the file is checked \
            before the first client is added, and each secret is tried live. What is in the vault already is never \
            overwritten, so that the command can be run again. See docs/inventory.md.
            """)

    @OptionGroup var globals: GlobalOptions

    @Option(help: ArgumentHelp("What the file is: csv or env.", valueName: "csv|env"))
    var from: ImportForm

    @Argument(
        help: ArgumentHelp("The file, which nobody else may read; - for standard input.", valueName: "file"),
        completion: .file())
    var file: String

    @Option(help: ArgumentHelp("The tenant of the clients for which the file names none.", valueName: "name"))
    var tenant: TenantName?

    @Flag(help: "Store the secrets without trying them.")
    var noVerify = false

    @Flag(help: "Check the file and compare it with the vault; try and change nothing.")
    var dryRun = false

    @OptionGroup var why: ReasonOption
    @OptionGroup var form: FormatOption

    /// The largest file that is read; with the secrets out of it, it has to fit into locked memory.
    private static let limit = 2 << 20

    // Between two clients, not within one: what was stored is noted, too.
    static var isCancelledBySignals: Bool { false }

    func validate() throws {
        if from == .env, tenant == nil {
            throw ValidationError("an .env file names no tenant; give it with --tenant")
        }
    }

    func run(in session: Session) async throws -> ExitStatus {
        let workspace = try await session.openWorkspace()
        // Whoever may not store secrets is told so once, not for each line.
        try await workspace.demandValueAccess()
        let entries = try read(in: session)
        let accounts = try await accounts(for: entries, workspace, session)
        let run = ImportRun(
            workspace: workspace.forOneOfMany(), accounts: accounts, isVerifying: !noVerify, isDry: dryRun,
            reason: why.reason)
        let terminal = session.terminal
        let results = await run.run(entries) { done in
            if terminal.errors.isTerminal, !terminal.isQuiet { terminal.showLive("\(done) of \(entries.count)") }
        }
        terminal.clearLive()
        let report = ImportReport(results, file: file, isDry: dryRun, isVerifying: !noVerify)
        if form.format == .json { try terminal.show(json: report) } else { report.show(on: terminal) }
        conclude(report, terminal)
        if report.count("added") > 0 { try await workspace.noteAuditHead() }
        return report.isGood ? .done : .failed
    }

    private func read(in session: Session) throws -> [ImportEntry] {
        let document = try SecretInput(terminal: session.terminal).document(file, limit: Self.limit)
        let reader = document.withUnsafeSecretBytes { ImportReader(from, $0, tenant: tenant) }
        try demand(reader.mistakes, session.terminal)
        return reader.entries
    }

    /// The tenants with their adapters; what the file wants of them is checked before anything is added.
    private func accounts(
        for entries: [ImportEntry], _ workspace: Workspace, _ session: Session
    ) async throws -> [TenantName: ImportRun.Account] {
        var accounts: [TenantName: ImportRun.Account] = [:]
        var mistakes: [ImportMistake] = []
        for entry in entries {
            let name = entry.registration.tenant
            if accounts[name] == nil {
                guard let tenant = try await workspace.vault.read(name)?.record else {
                    mistakes.append(ImportMistake(line: entry.line, message: "there is no tenant \(name)"))
                    continue
                }
                accounts[name] = (tenant, try workspace.provider(of: tenant))
            }
            guard let (tenant, provider) = accounts[name] else { continue }
            if let objection = try objection(to: entry.registration.tokenURL, tenant, provider) {
                mistakes.append(ImportMistake(line: entry.line, message: objection))
            }
        }
        try demand(mistakes, session.terminal)
        return accounts
    }

    private func objection(
        to url: String?, _ tenant: TenantRecord, _ provider: any Provider
    ) throws -> String? {
        guard let url else {
            return provider.tokenURL == nil ? "the tenant \(tenant.name) has no token endpoint, so give token_url" : nil
        }
        let kind = try ProviderRegistry.kind(named: tenant.provider)
        do {
            _ = try EndpointURL(url, allowsLoopbackHTTP: kind.allowsLoopbackHTTP(for: tenant))
            return nil
        } catch {
            return "token_url: \(error.message)"
        }
    }

    private func demand(_ mistakes: [ImportMistake], _ terminal: Terminal) throws {
        var list = FileMistakes()
        for mistake in mistakes { list.add(mistake.line, mistake.message) }
        try list.demandNone(in: file, "nothing was added", on: terminal)
    }

    private func conclude(_ report: ImportReport, _ terminal: Terminal) {
        let added = dryRun ? "\(report.count("wouldAdd")) would be added" : "\(report.count("added")) added"
        terminal.note("\(added), \(report.count("unchanged")) unchanged, \(report.count("failed")) failed")
        for row in report.clients {
            if let hint = row.hint { terminal.note("line \(row.line), \(row.name): \(hint.printable)") }
        }
        guard !dryRun, file != "-" else { return }
        let when = report.isGood ? "now" : "once the rest is in"
        terminal.note(
            "\(file.printable) still holds the secrets; delete it \(when): shred -u \(file.shellQuoted.printable)")
    }
}

extension ImportForm: ExpressibleByArgument {}

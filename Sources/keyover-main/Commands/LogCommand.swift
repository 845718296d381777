public import ArgumentParser
import KeyoverCore
public import KeyoverEngine

extension AuditHead: ExpressibleByArgument {
    /// Reads `COUNT:DIGITS`.
    public init?(argument: String) { self.init(argument) }
}

/// `keyover log`: the audit log of this host.
struct LogCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Show or check the audit log of this host.",
        discussion: """
            --verify checks every line and prints the head, which is worth keeping elsewhere: --expect HEAD proves \
            later that nothing was cut off.
            """)

    @OptionGroup var globals: GlobalOptions

    @Argument(help: ArgumentHelp("Only this client.", valueName: "name"))
    var name: ClientName?

    @Option(help: ArgumentHelp("Only from then on: a date, or how long ago, such as 2h.", valueName: "time"))
    var since: Since?

    @Flag(help: "Check the chain instead of showing the entries.")
    var verify = false

    @Option(help: ArgumentHelp("With --verify: the log must still hold this head.", valueName: "head"))
    var expect: AuditHead?

    @Flag(help: "Go on showing what is added, until Ctrl-C.")
    var follow = false

    @OptionGroup var form: FormatOption

    func validate() throws {
        if expect != nil, !verify { throw ValidationError("--expect goes with --verify") }
        if verify, follow || name != nil || since != nil {
            throw ValidationError("--verify checks the whole log, and goes with no client, --since or --follow")
        }
    }

    func run(in session: Session) async throws -> ExitStatus {
        let workspace = try await session.openWorkspace()
        if verify { return try await check(workspace, session.terminal) }
        let reader = AuditReader(stateDirectory: workspace.stateDirectory, host: workspace.audit.host)
        let moment = since?.moment(now: workspace.now.wall)
        let entries =
            follow ? reader.follow(of: name, since: moment) : reader.entries(of: name, since: moment)
        var count = 0
        for try await entry in entries {
            count += 1
            try show(entry, session.terminal)
        }
        if count == 0, !follow { session.terminal.note("the log holds no such entry") }
        return .done
    }

    private func show(_ entry: AuditEntry, _ terminal: Terminal) throws {
        if form.format == .json { return try terminal.show(json: entry, onOneLine: true) }
        let details = entry.details.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)".printable }
        let words: [String?] = [
            Styled.dim(entry.time.description, on: terminal.output), entry.client.description.padded(to: 16),
            Styled.bold(entry.action.printable, on: terminal.output), "by \(entry.actor.words)",
            entry.reason.map { "(\($0.printable))" }, details.joined(separator: " "),
        ]
        terminal.print(words.compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: "  "))
    }

    private func check(_ workspace: Workspace, _ terminal: Terminal) async throws -> ExitStatus {
        let key = try await workspace.vault.derivedKey(for: .audit)
        let host = workspace.audit.host
        let verifier = AuditVerifier(stateDirectory: workspace.stateDirectory, host: host, key: key)
        let mark = try await workspace.vault.read(host)?.record
        let found = try await verifier.verify(expecting: expect, mark: mark)
        if form.format == .json {
            try terminal.show(
                json: View(
                    host: host.description, verified: found.isWhole, lines: found.count, head: found.head.description,
                    fault: found.firstFault?.description))
        } else if let fault = found.firstFault {
            terminal.print("\(Styled.red("not verified", on: terminal.output)): \(fault.description.printable)")
        } else {
            terminal.print("\(Styled.green("verified", on: terminal.output)): \(found.count) lines of \(host)")
            terminal.print("head: \(found.head)")
        }
        if !found.isWhole {
            terminal.insist("hint: keep \(workspace.audit.path) as it is, and find out who changed it")
        }
        return found.isWhole ? .done : .vault
    }

    private struct View: Encodable {
        let host: String
        let verified: Bool
        let lines: UInt64
        let head: String
        let fault: String?
    }
}

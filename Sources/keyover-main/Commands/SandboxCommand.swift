import ArgumentParser
import KeyoverCore
import KeyoverSandbox

/// `keyover sandbox`: an OAuth server on loopback to rehearse with.
struct SandboxCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox", abstract: "Run an OAuth server on loopback to rehearse with, until Ctrl-C.",
        discussion: "It misbehaves as the profile says: "
            + SandboxProfile.presets.map(\.name).joined(separator: ", ") + ". See docs/sandbox.md.")

    @OptionGroup var globals: GlobalOptions

    @Option(help: "The port; 0 for any free one.")
    var port = 0

    @Option(help: "What goes wrong.", completion: .list(SandboxProfile.presets.map(\.name)))
    var profile = "calm"

    @Option(help: ArgumentHelp("A client to begin with; may be repeated. (default: billing-sync)", valueName: "id"))
    var client: [ClientName] = []

    @Option(
        help: ArgumentHelp(
            "Where to write admin token and first secrets, in files that nobody else can read.", valueName: "dir"),
        completion: .directory)
    var state: String?

    @OptionGroup var form: FormatOption

    func run(in session: Session) async throws -> ExitStatus {
        let profile = try Self.profile(named: profile)
        let server = try await SandboxServer.start(SandboxConfiguration(port: port, profile: profile))
        let directory = try state.map(FileSystem.absolute) ?? FileSystem.makeTemporaryDirectory("sandbox")
        try FileSystem.makeDirectory(directory)
        var written: [String] = []
        defer {
            for path in written { FileSystem.removeTree(path) }
            if state == nil { FileSystem.removeTree(directory) }
        }
        func hand(_ text: String, over name: String) throws -> String {
            let path = "\(directory)/\(name)"
            // What an earlier sandbox left there is of no use to anybody.
            FileSystem.removeFile(path)
            try FileSystem.create(path, text + "\n")
            written.append(path)
            return path
        }
        let tokenFile = try hand(server.adminToken, over: "admin-token")
        let names = client.isEmpty ? ["billing-sync"] : client.map(\.description)
        let clients = try names.map { name in
            let secret = try server.createClient(clientID: name, scopes: ["read"]).secret
            return Report.Client(clientID: name, secretFile: try hand(secret, over: "\(name).secret"))
        }
        let report = Report(
            baseURL: server.baseURL, tokenURL: server.baseURL + "/oauth/token", profile: profile.name,
            adminTokenFile: tokenFile, clients: clients, tenantSettings: TenantSettings(profile).list)
        if form.format == .json {
            try session.terminal.show(json: report, onOneLine: true)
        } else {
            report.show(on: session.terminal)
        }
        await withTaskCancellationHandler {
            await server.waitUntilStopped()
        } onCancel: {
            Task { await server.stop() }
        }
        return .done
    }

    static func profile(named name: String) throws -> SandboxProfile {
        guard let profile = SandboxProfile.preset(named: name) else {
            throw UsageError(
                "there is no profile \(name.printable)",
                remedy: "choose one of: \(SandboxProfile.presets.map(\.name).joined(separator: ", "))")
        }
        return profile
    }
}

/// What a tenant has to be told about a profile, for the descriptor to be true.
struct TenantSettings {
    let list: [String]

    init(_ profile: SandboxProfile) {
        var list: [String] = []
        if profile.propagationMilliseconds > 2000 {
            list.append("propagation=\(TimeSpan.milliseconds(Int64(profile.propagationMilliseconds)))")
        }
        if profile.fuseSeconds > 0 { list.append("fuse=\(TimeSpan.seconds(Int64(profile.fuseSeconds)))") }
        if profile.maxSecrets != 2 { list.append("max-secrets=\(profile.maxSecrets)") }
        self.list = list
    }
}

extension SandboxCommand {
    /// What was started, as `--format json` shows it on one line.
    fileprivate struct Report: Encodable {
        struct Client: Encodable {
            let clientID: String
            let secretFile: String
        }

        let baseURL: String
        let tokenURL: String
        let profile: String
        let adminTokenFile: String
        let clients: [Client]
        let tenantSettings: [String]

        func show(on terminal: Terminal) {
            var sheet = Sheet()
            sheet.add("sandbox", "\(baseURL), profile \(profile), until Ctrl-C")
            sheet.add("token URL", tokenURL)
            sheet.add("admin token", "in \(adminTokenFile)")
            for client in clients { sheet.add("client", "\(client.clientID), first secret in \(client.secretFile)") }
            terminal.show(sheet)
            terminal.print("")
            terminal.print("In another terminal:")
            terminal.print("")
            for line in tour { terminal.print("  " + line) }
        }

        private var tour: [String] {
            let settings = tenantSettings.map { " --set \($0)" }.joined()
            var lines = [
                "keyover init",
                "keyover tenant add rehearsal --provider sandbox --base-url \(baseURL) --admin-file \(adminTokenFile)"
                    + settings,
            ]
            for client in clients {
                lines.append(
                    "keyover client add \(client.clientID) --tenant rehearsal --client-id \(client.clientID)"
                        + " --secret-file \(client.secretFile) --scope read --consumer-cache 5s")
            }
            guard let first = clients.first?.clientID else { return lines }
            return lines + [
                "keyover get \(first)", "keyover rotate \(first) --dry-run", "keyover rotate \(first)",
                "keyover status \(first)", "keyover log \(first)", "keyover log --verify",
            ]
        }
    }
}

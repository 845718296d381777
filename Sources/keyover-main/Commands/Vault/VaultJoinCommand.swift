import ArgumentParser
import KeyoverCore
import KeyoverEngine
import KeyoverSealing
import KeyoverVaults

/// `keyover vault join`: configuration and identity of a further host, for a vault that is there already.
struct VaultJoinCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "join", abstract: "Use a vault that another host has made.",
        discussion: """
            On a host that has the vault, keyover vault status prints the command to type here. Take it over by a way \
            that nobody can meddle with: the id and the key commitment in it say which vault is trusted. \
            This host's identity is made when there is none; until somebody grants it access the command exits with 8 \
            and prints how. Repeat it then. A host that uses the vault at a place that it has left follows it.
            """)

    @OptionGroup var globals: GlobalOptions

    @Option(help: ArgumentHelp("The id that the vault must have.", valueName: "uuid"))
    var vaultID: String?

    @Option(help: ArgumentHelp("The commitment that the vault's keys must have.", valueName: "hex"))
    var keyCommitment: String?

    @OptionGroup var reach: ReachOptions
    @OptionGroup var form: FormatOption

    func run(in session: Session) async throws -> ExitStatus {
        let session = session.overridden(by: reach.settings.merging(pins) { pin, _ in pin })
        let settings = try session.settings
        try demandPins(settings)
        if try isJoined(settings) {
            let identity = try await HostIdentity(settings, for: session.vaultURL())
            return try show(session, identity, isOpen: true, "This host uses the vault already.")
        }
        if let follower = try MigrationFollower(session, told: reach.settings) {
            try await follower.follow()
            // Without an identity there is a passphrase, which opens the vault over there too.
            let identity =
                settings.identity == nil ? nil : try await HostIdentity(settings, for: session.vaultURL())
            return try show(session, identity, isOpen: true, "This host has followed the vault.")
        }
        try settings.demandNoConfiguration()
        let identity = try await HostIdentity(settings, for: session.vaultURL())
        let vault: any Vault
        do {
            vault = try await session.openVault(knowing: identity.identities)
        } catch {
            // Other locks than that of the key file are not opened by a grant.
            guard let locked = error as? VaultError, locked.code == .locked, locked.underlying is AgeError else {
                throw error
            }
            return try show(session, identity, isOpen: false, "The vault does not know this host yet.")
        }
        // Who was granted metadata only has joined too; what opens is what counts.
        let pin = VaultPin(vaultID: UUIDv7(vault.id), commitments: try session.pin().commitments)
        let host = try await freeHostName(vault, settings)
        try ConfigurationText(vault: session.vaultURL().description, identity: identity.place.description, pin: pin)
            .write(settings.overridden(by: host.map { [.host: Setting(value: $0, origin: .standard)] } ?? [:]))
        return try show(session, identity, isOpen: true, "This host uses the vault now.")
    }

    private var pins: [SettingKey: Setting] {
        var pins: [SettingKey: Setting] = [:]
        if let vaultID { pins[.vaultID] = Setting(value: vaultID, origin: .flag("--vault-id")) }
        if let keyCommitment {
            pins[.keyCommitment] = Setting(value: keyCommitment, origin: .flag("--key-commitment"))
        }
        return pins
    }

    private func demandPins(_ settings: Settings) throws(ConfigurationError) {
        guard settings[.vault] == nil || settings.vaultID == nil || settings.keyCommitment == nil else { return }
        throw ConfigurationError(
            .invalidValue, "which vault is to be trusted has to be said: its URL, its id and its key commitment",
            remedy: "copy the whole command that keyover vault status prints on a host that has the vault")
    }

    /// Whether the configuration that is there says what this command would write.
    private func isJoined(_ settings: Settings) throws -> Bool {
        guard let file = try ConfigurationFile(path: settings.ownFile) else { return false }
        return [SettingKey.vault, .vaultID, .keyCommitment].allSatisfy { key in
            file.settings[key]?.value == settings[key]?.value
        }
    }

    /// Another name for this host where the vault knows one of this name already, whose audit log is not here.
    ///
    /// Containers and users of one machine often share its name; sharing an audit log they cannot.
    private func freeHostName(_ vault: any Vault, _ settings: Settings) async throws -> String? {
        let name = try settings.host()
        let own = try AuditFolder(stateDirectory: settings.stateDirectory).hosts()
        guard !own.contains(name), try await vault.read(name) != nil else { return nil }
        for number in 2...Self.hostsOfOneName {
            guard let next = Name<HostRecord>("\(name)-\(number)"), try await vault.read(next) == nil else { continue }
            return next.description
        }
        throw ConfigurationError(
            .invalidValue, "the vault knows too many hosts that are called \(name)",
            remedy: "give this one a name of its own: KEYOVER_HOST=NAME keyover vault join ...")
    }

    private static let hostsOfOneName = 1000

    private func show(
        _ session: Session, _ identity: HostIdentity?, isOpen: Bool, _ words: String
    ) throws -> ExitStatus {
        let settings = try session.settings
        if form.format == .json {
            try session.terminal.show(
                json: View(
                    joined: isOpen, configuration: FileSystem.absolute(settings.ownFile),
                    identity: identity?.place.description,
                    recipient: identity?.recipient.description ?? VaultRecipient.passphrase.description,
                    vault: settings.vault))
            return isOpen ? .done : .waiting
        }
        var sheet = Sheet()
        sheet.add("vault", settings.vault.printable)
        sheet.add("identity", identity.map { $0.place.description + ($0.isFresh ? "" : " (was there already)") })
        sheet.add("opened by", identity?.recipient.description ?? VaultRecipient.passphrase.description)
        session.terminal.show(sheet)
        session.terminal.print("")
        session.terminal.print(words)
        if isOpen {
            session.terminal.print("Next: keyover status")
        } else if let identity {
            session.terminal.print("Type on a host that has the vault: keyover vault grant \(identity.recipient)")
            session.terminal.print("Then repeat this command here.")
        }
        return isOpen ? .done : .waiting
    }

    private struct View: Encodable {
        let joined: Bool
        let configuration: String
        let identity: String?
        let recipient: String
        let vault: String
    }
}

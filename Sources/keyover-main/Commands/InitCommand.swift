import ArgumentParser
import FoundationEssentials
import KeyoverCore
import KeyoverSealing
import KeyoverVaults

/// `keyover init`: configuration, identity and vault.
struct InitCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Create configuration, identity and vault; nothing is overwritten.",
        discussion: "An identity that is there already is used as it is.")

    @OptionGroup var globals: GlobalOptions

    @Option(
        help: ArgumentHelp(
            "Who else can open the vault, such as an offline recovery key: age1...; may be repeated.",
            valueName: "recipient"))
    var recipient: [String] = []

    @OptionGroup var reach: ReachOptions
    @OptionGroup var form: FormatOption

    func run(in session: Session) async throws -> ExitStatus {
        let session = session.overridden(by: reach.settings)
        let (settings, terminal) = (try session.settings, session.terminal)
        try settings.demandNoConfiguration()
        let others = try recipient.map { text in
            guard let recipient = X25519Recipient(text) else {
                throw ConfigurationError(
                    .invalidValue, "\(text.printable) is no age recipient", remedy: "give the public key: age1...")
            }
            return recipient
        }
        let url = try session.vaultURL()
        let identity = try await HostIdentity(settings, for: url)
        let pin = try await pin(url, identity, recipients: [identity.recipient] + others, session.reach())
        let report = Report(
            configuration: FileSystem.absolute(settings.ownFile), identity: identity.place.description,
            vault: url.description, vaultID: pin.vaultID?.description ?? "", keyCommitment: pin.commitmentText,
            recipients: ([identity.recipient] + others).map(\.description))
        try ConfigurationText(vault: report.vault, identity: identity.place.description, pin: pin).write(settings)
        if form.format == .json {
            try terminal.show(json: report)
        } else {
            show(report, madeIdentity: identity.isFresh, on: terminal)
        }
        return .done
    }

    /// Makes the vault, or takes the one that an `init` which was killed has made: empty, and for as many.
    ///
    /// It belongs to this user and to nobody else, or it would not be opened.
    private func pin(
        _ url: VaultURL, _ identity: HostIdentity, recipients: [X25519Recipient], _ reach: VaultReach
    ) async throws -> VaultPin {
        do throws(VaultError) {
            return try await VaultRegistry.create(url, VaultCreation(for: recipients, reach: reach))
        } catch {
            guard error.code == .exists,
                let found = try? await VaultRegistry.open(
                    url, VaultAccess(identities: identity.identities, reach: reach)),
                let status = try? await (found as? any InspectableVault)?.status(),
                status.mark == VaultMark(epoch: 1, counter: 0),
                status.audience == (try? VaultAudience(full: recipients.map { .key($0) }))
            else { throw error }
            return VaultPin(vaultID: status.id, commitment: Hex.decode(status.keyCommitment))
        }
    }

    private func show(_ report: Report, madeIdentity: Bool, on terminal: Terminal) {
        var sheet = Sheet()
        sheet.add("configuration", report.configuration)
        sheet.add("identity", report.identity + (madeIdentity ? "" : " (was there already)"))
        sheet.add("vault", report.vault)
        for recipient in report.recipients { sheet.add("opened by", recipient) }
        terminal.show(sheet)
        terminal.print("")
        terminal.print("Who has the identity and the vault has every secret in it; without the identity nobody has.")
        terminal.print("Keep a copy of the identity offline, apart from backups of the vault.")
        terminal.print("Back up the vault with keyover vault backup FILE, which opens with the same identities.")
        terminal.print("Next: keyover tenant add NAME --provider PROVIDER")
    }
}

extension InitCommand {
    /// What was made, as `--format json` shows it.
    fileprivate struct Report: Encodable {
        let configuration: String
        let identity: String
        let vault: String
        let vaultID: String
        let keyCommitment: String
        let recipients: [String]
    }
}

import ArgumentParser
import KeyoverVaults

/// `keyover vault verify`.
struct VaultVerifyCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check every record, the whole hash tree and the marks.")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var form: FormatOption

    func run(in session: Session) async throws -> ExitStatus {
        let found = try await session.openInspectableVault().verify()
        if form.format == .json {
            try session.terminal.show(json: View(found))
        } else if found.isSound {
            let values = found.checkedValues ? "with their values" : "without their values"
            session.terminal.print(
                "\(Styled.green("sound", on: session.terminal.output)): \(found.records) records \(values), "
                    + "\(found.ledgerEntries) consumers")
        } else {
            for finding in found.findings {
                session.terminal.print(
                    "\(Styled.red("fault", on: session.terminal.output)): \(finding.message.printable)")
                session.terminal.print("  \(finding.remedy.printable)")
            }
        }
        return found.isSound ? .done : .vault
    }

    private struct View: Encodable {
        struct FindingView: Encodable {
            let message: String
            let remedy: String
        }

        let sound: Bool
        let records: Int
        let consumers: Int
        let checkedValues: Bool
        let findings: [FindingView]

        init(_ found: VaultVerification) {
            sound = found.isSound
            records = found.records
            consumers = found.ledgerEntries
            checkedValues = found.checkedValues
            findings = found.findings.map { FindingView(message: $0.message, remedy: $0.remedy) }
        }
    }
}

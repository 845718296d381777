import ArgumentParser
import KeyoverCore
import KeyoverEngine

/// `keyover verify`.
struct VerifyCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Try a client's secret with a live exchange; nothing is changed.")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var client: ClientArgument

    @Option(help: ArgumentHelp("Which secret; the active one otherwise.", valueName: "slot"))
    var slot: SlotName?

    @OptionGroup var form: FormatOption

    func run(in session: Session) async throws -> ExitStatus {
        let workspace = try await session.openWorkspace()
        let record = try await workspace.client(client.name).record
        let slot = slot ?? record.active
        guard record[slot] != nil else {
            throw RotationError(
                .wrongInput, "\(client.name) has no \(slot.rawValue) at the moment",
                remedy: "run keyover status \(client.name)")
        }
        let probe = try await workspace.engine(for: client.name).verify(client.name, slot: slot)
        let verdict = Verdict(probe)
        if form.format == .json {
            try session.terminal.show(
                json: View(client: client.name, slot: slot, verdict: verdict.word, why: verdict.why))
        } else {
            let style: Styled = verdict.isGood ? .green : .red
            let why = verdict.why.map { ": \($0.printable)" } ?? ""
            session.terminal.print(
                "\(client.name): the \(slot.rawValue) is \(style(verdict.word, on: session.terminal.output))\(why)")
        }
        return verdict.isGood ? .done : .failed
    }

    private struct View: Encodable {
        let client: ClientName
        let slot: SlotName
        let verdict: String
        let why: String?
    }

    private struct Verdict {
        let word: String
        let why: String?
        let isGood: Bool

        init(_ probe: RotationMachine.Probe) {
            switch probe {
            case .accepted: (word, why, isGood) = ("accepted", nil, true)
            case .refused(let reason, _): (word, why, isGood) = ("refused", reason, false)
            case .unacceptable(let reason): (word, why, isGood) = ("unacceptable", reason, false)
            case .inconclusive(let trouble): (word, why, isGood) = ("inconclusive", trouble.message, false)
            }
        }
    }
}

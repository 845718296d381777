import ArgumentParser
import KeyoverCore

/// `keyover config`: what is in force, and where each value came from.
struct ConfigCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Show the effective configuration and where each value came from.")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var form: FormatOption

    func run(in session: Session) async throws -> ExitStatus {
        let settings = try session.settings
        let views = SettingKey.allCases.compactMap { key in
            View(key, settings[key], standard: standard(key, settings))
        }
        if form.format == .json {
            try session.terminal.show(json: views)
        } else {
            var table = Table("KEY", "VALUE", "FROM")
            table.rows = views.map { [$0.key, $0.value.printable, $0.from.printable] }
            session.terminal.show(table)
        }
        for name in session.loader.unknownVariables() {
            session.terminal.note("note: \(name) is no variable of Keyover's and is ignored")
        }
        return .done
    }

    private func standard(_ key: SettingKey, _ settings: Settings) -> String? {
        switch key {
        case .vault: settings.vault
        case .stateDirectory: settings.stateDirectory
        case .host: (try? settings.host())?.description
        case .policies: "(built in)"
        case .caFile: "(the system's)"
        case .claimTerm: (try? settings.claimTerm()).map(\.description)
        case .afterRotation: "(no backup)"
        case .identity, .vaultID, .keyCommitment, .vaultUser, .vaultCredential, .vaultCertificate, .vaultCertificateKey:
            nil
        }
    }

    private struct View: Encodable {
        let key: String
        let value: String
        let from: String

        init?(_ key: SettingKey, _ setting: Setting?, standard: String?) {
            guard let value = setting?.value ?? standard else { return nil }
            self.key = key.rawValue
            self.value = value
            from = (setting?.origin ?? .standard).description
        }
    }
}

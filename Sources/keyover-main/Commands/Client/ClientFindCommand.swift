import ArgumentParser
import KeyoverCore
import KeyoverEngine

/// `keyover client find`: which client a leaked string belongs to.
struct ClientFindCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "find", abstract: "Tell which client a leaked secret belongs to, or belonged to.",
        discussion: """
            The string comes from standard input (asked for on a terminal) and is not shown again. It is compared with \
            every secret in the vault and with the last \(ClientRecord.retiredLimit) retired ones of each client, also \
            without the white space and the quotes that copying brings along. Exits with 3 when nobody's is like it.
            """)

    @OptionGroup var globals: GlobalOptions

    @Flag(help: "Take the secret from standard input (the default).")
    var secretStdin = false

    @OptionGroup var form: FormatOption

    func run(in session: Session) async throws -> ExitStatus {
        let vault = try await session.openVault()
        // Whoever may not look is told so before the secret is asked for.
        _ = try await vault.derivedKey(for: .fingerprint)
        let secret = try SecretInput(terminal: session.terminal).standardInput(asking: "The string that turned up")
        let matches = try await SecretSearch(vault: vault).matches(PastedSecret(secret))
        let now = SystemClock().now().wall
        let views = matches.map { MatchView($0, at: now) }
        if form.format == .json {
            try session.terminal.show(json: views)
        } else {
            for (index, view) in views.enumerated() {
                if index > 0 { session.terminal.print("") }
                session.terminal.show(view.sheet)
            }
        }
        guard !views.isEmpty else {
            throw RotationError(
                .unknownClient, "no client of this vault has this secret, and none is known to have had it",
                remedy: "check that the whole of it was given; a part of a secret matches nothing")
        }
        return .done
    }
}

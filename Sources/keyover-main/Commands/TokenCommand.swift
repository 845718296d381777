import ArgumentParser
import KeyoverCore
import KeyoverOAuth

/// `keyover token`: an access token for the active secret.
struct TokenCommand: KeyoverSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Exchange the active secret for an access token and print it.")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var client: ClientArgument

    @Option(help: "A scope to ask for in place of the registered ones; may be repeated.")
    var scope: [String] = []

    @Option(help: "The form of the answer.")
    var format = Format.raw

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case raw
        case json
    }

    func run(in session: Session) async throws -> ExitStatus {
        let (workspace, record, tenant) = try await session.lookingTwice { session in
            let workspace = try await session.openWorkspace()
            let record = try await workspace.client(client.name).record
            try record.requireVerified()
            return (workspace, record, try await workspace.tenant(record.registration.tenant).record)
        }
        let slot = record.activeSlot
        guard let secret = slot.value else {
            throw VaultError(
                .noValueAccess, "the secret of \(client.name) cannot be read with this identity",
                remedy: "use an identity with value access: --identity FILE")
        }
        guard let tokenURL = try record.registration.tokenURL ?? workspace.provider(of: tenant).tokenURL else {
            throw ConfigurationError(
                .invalidURL, "\(client.name) has no token endpoint",
                remedy: "run keyover client edit \(client.name) --token-url URL")
        }
        let request = ExchangeRequest(
            tokenURL: tokenURL, clientID: slot.clientID, secret: secret,
            authentication: record.registration.authentication,
            scopes: scope.isEmpty ? record.registration.scopes : scope)
        let exchanger = try workspace.exchanger(for: tenant)
        var generator = SystemRandomNumberGenerator()
        let grant = try await Retry().run(using: &generator) { () throws(ExchangeError) in
            try await exchanger.exchange(request)
        }
        switch format {
        case .raw:
            grant.accessToken.withUnsafeSecretBytes { session.terminal.emit($0) }
            session.terminal.print("")
        case .json:
            try session.terminal.show(json: TokenView(grant, generation: record.generation), onOneLine: true)
        }
        return .done
    }

    /// The members of RFC 6749 section 5.1, and the generation of the secret.
    private struct TokenView: Encodable {
        let accessToken: String
        let tokenType: String
        let expiresIn: Int64?
        let scope: String?
        let generation: UInt64

        private enum CodingKeys: String, CodingKey {
            case accessToken = "access_token"
            case tokenType = "token_type"
            case expiresIn = "expires_in"
            case scope, generation
        }

        init(_ grant: TokenGrant, generation: UInt64) {
            accessToken = grant.accessToken.withUnsafeSecretBytes { String(decoding: $0, as: UTF8.self) }
            tokenType = grant.tokenType
            expiresIn = grant.expiresIn.map { $0.milliseconds / 1000 }
            scope = grant.scopes?.joined(separator: " ")
            self.generation = generation
        }
    }
}

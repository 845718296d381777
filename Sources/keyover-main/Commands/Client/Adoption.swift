import KeyoverCore
import KeyoverEngine
import KeyoverOAuth

/// Takes over a client with the secret it has: tries it, finds it at the provider, makes the record.
struct Adoption {
    let workspace: Workspace
    let tenant: TenantRecord
    let provider: any Provider
    let name: ClientName
    let clientID: String
    let secret: SecretValue

    /// The record, not yet stored.
    func record(
        _ registration: Registration, verifying: Bool, secretID: SecretID?, issuedAt: Timestamp?
    ) async throws -> ClientRecord {
        var registration = registration
        registration.tokenURL = registration.tokenURL ?? provider.tokenURL
        guard let tokenURL = registration.tokenURL else {
            throw ConfigurationError(
                .invalidURL, "the tenant \(tenant.name) has no token endpoint", remedy: "give it with --token-url URL")
        }
        let verifiedAt = verifying ? try await verify(registration, tokenURL) : nil
        let found = try await find(secretID, issuedAt: issuedAt)
        let now = workspace.now.wall
        let slot = Slot(
            clientID: clientID, value: secret, secretID: found?.id ?? secretID, fingerprint: try await fingerprint(),
            issuedAt: issuedAt ?? found?.createdAt, expiresAt: found?.expiresAt, storedAt: now, verifiedAt: verifiedAt)
        let record = ClientRecord(
            id: workspace.freshID(), name: name, registration: registration, primary: slot, createdAt: now)
        // What no strategy or policy fits is found out now, not in the rotation window.
        _ = try Strategies.choose(for: record, provider: provider)
        _ = try workspace.policy(for: record)
        return record
    }

    /// Stores the record that was made.
    func store(_ record: ClientRecord, verified: Bool, reason: String?) async throws {
        try await workspace.add(
            record, action: "client.added",
            details: [
                "tenant": tenant.name.description, "clientID": clientID,
                "secretID": record.primary.secretID?.description ?? "unknown", "verified": verified ? "yes" : "no",
            ], reason: reason)
    }

    private func fingerprint() async throws -> Fingerprint {
        try await workspace.vault.fingerprint(of: secret)
    }

    private func verify(_ registration: Registration, _ tokenURL: String) async throws -> ClockReading {
        let exchanger = try workspace.exchanger(for: tenant)
        let request = ExchangeRequest(
            tokenURL: tokenURL, clientID: clientID, secret: secret, authentication: registration.authentication,
            scopes: registration.scopes)
        var generator = SystemRandomNumberGenerator()
        let grant: TokenGrant
        do {
            grant = try await Retry().run(using: &generator) { () throws(ExchangeError) in
                try await exchanger.exchange(request)
            }
        } catch {
            throw RotationError(
                .verificationFailed, "the secret of \(name) was not accepted, so nothing was stored: \(error.message)",
                remedy: "check client id, secret and --auth; --no-verify adopts it without trying", underlying: error)
        }
        let missing = grant.scopes.map { granted in registration.scopes.filter { !granted.contains($0) } } ?? []
        guard missing.isEmpty else {
            throw RotationError(
                .verificationFailed, "the grant lacks the scope \(missing.joined(separator: ", ")); nothing was stored",
                remedy: "give the scopes that the client has with --scope")
        }
        return workspace.now
    }

    /// The secret among those that the provider lists, when it can be told which it is.
    private func find(_ id: SecretID?, issuedAt: Timestamp?) async throws -> ListedSecret? {
        guard let listing = ProviderPowers(provider).listing else { return nil }
        let listed = try await listing.secrets(of: ClientReference(name: name, clientID: clientID))
        if let id {
            guard let found = listed.first(where: { $0.id == id }) else {
                throw ConfigurationError(
                    .invalidValue, "the provider lists no secret \(id.description.printable) of \(clientID.printable)",
                    remedy: "leave --secret-id out, or correct it")
            }
            return found
        }
        return SecretMatcher(value: secret, issuedAt: issuedAt).match(among: listed.filter(\.isActive))
    }
}

extension Adoption {
    /// What the vault holds under the name before anything is adopted.
    enum Standing {
        /// Nothing.
        case vacant
        /// The very client, with this secret in one of its slots.
        case same
        /// Something that is not overwritten, for this reason.
        case taken(String)
    }

    /// Compares what is to be adopted with what is there.
    func standing() async throws -> Standing {
        guard let record = try await workspace.vault.read(name)?.record else { return .vacant }
        guard record.registration.tenant == tenant.name else {
            return .taken("the vault has it as a client of the tenant \(record.registration.tenant)")
        }
        let slots = SlotName.allCases.compactMap { record[$0] }.filter { $0.clientID == clientID }
        guard !slots.isEmpty else { return .taken("the vault has it with another client id") }
        let fingerprint = try await fingerprint()
        if slots.contains(where: { $0.fingerprint == fingerprint }) { return .same }
        if let retired = record.retired.last(where: { $0.fingerprint == fingerprint }) {
            return .taken("this secret of it was retired on \(retired.retiredAt.day); the vault has a newer one")
        }
        return .taken("the vault has it with another secret, which is not touched")
    }
}

/// Tells which of the provider's secrets a value is: the only one, else by its first characters, else by its date.
struct SecretMatcher {
    let value: SecretValue
    let issuedAt: Timestamp?

    func match(among listed: [ListedSecret]) -> ListedSecret? {
        if listed.count == 1 { return listed.first }
        let byHint = listed.filter { secret in secret.hint.map { !$0.isEmpty && begins(with: $0) } ?? false }
        if byHint.count == 1 { return byHint.first }
        guard let issuedAt else { return nil }
        // A date without time stands for its whole day.
        let slack = issuedAt.millisecondsSinceEpoch.isMultiple(of: 86_400_000) ? TimeSpan.days(1) : .seconds(1)
        let byDate = listed.filter { secret in
            secret.createdAt.map { $0 >= issuedAt && $0 - issuedAt < slack } ?? false
        }
        return byDate.count == 1 ? byDate.first : nil
    }

    private func begins(with hint: String) -> Bool {
        value.withUnsafeSecretBytes { $0.starts(with: hint.utf8) }
    }
}

/// What the token endpoint grants, with the manner in which the profile wants it written.
struct TokenGrant: Sendable {
    let token: TokenShelf.Token
    let lifetime: Int
    let expiresIn: ExpiresInForm
    let omitsScope: Bool
    let nestingDepth: Int
}

/// Why the token endpoint grants nothing.
enum ExchangeRefusal: Error, Sendable {
    case client(RefusalStyle)
    case scope(String)
}

/// What the protected resource makes of a bearer token.
enum ResourceVerdict: Sendable {
    case granted(clientID: String, token: TokenShelf.Token)
    case invalidToken
    case insufficientScope
}

extension SandboxState {
    /// Exchanges a client's credentials for a token, at one of the replicas.
    mutating func exchange(
        _ credentials: ClientCredentials, scope: String?, at now: SandboxInstant
    ) throws(ExchangeRefusal) -> TokenGrant {
        let (index, secretIndex) = try authenticate(credentials, at: now, counting: true)
        if scope == nil, profile.refuseMissingScope { throw .client(profile.wrongSecret) }
        // Names what it needs and keeps no copy of the client, which would make the shelf below copy itself.
        let lifetime = clients.values[index].tokenLifetime
        let granted = try Self.grantedScope(of: clients.values[index].scopes, requested: scope)
        let token = clients.values[index].tokens.mint(
            owner: clients.values[index].ordinal, secretID: clients.values[index].ledger[secretIndex].id,
            scope: granted, lifetime: lifetime, at: now, cap: profile.maxLiveTokens)
        clients.values[index].countAccepted(secretAt: secretIndex, at: now)
        return TokenGrant(
            token: token, lifetime: lifetime, expiresIn: profile.expiresIn, omitsScope: profile.omitScope,
            nestingDepth: profile.nestingDepth)
    }

    /// The client's live token of that value, nil for anybody else's.
    mutating func introspect(
        _ value: String, by credentials: ClientCredentials, at now: SandboxInstant
    ) throws(ExchangeRefusal) -> TokenShelf.Token? {
        let (index, _) = try authenticate(credentials, at: now, counting: false)
        return clients.values[index].tokens.find(value, at: now)
    }

    /// Ends the client's token of that value; what is no live token of the client is left as it is.
    mutating func revoke(
        _ value: String, by credentials: ClientCredentials, at now: SandboxInstant
    ) throws(ExchangeRefusal) {
        let (index, _) = try authenticate(credentials, at: now, counting: false)
        guard let token = clients.values[index].tokens.find(value, at: now) else { return }
        clients.values[index].tokens.end(token)
    }

    /// Judges a request to the protected resource and counts it for the client that the token names.
    mutating func judgeResource(bearer value: String, requiredScope: String?, at now: SandboxInstant) -> ResourceVerdict
    {
        guard let place = TokenPlace(of: value), let clientID = clientIDs[place.owner],
            let index = clients.index(forKey: clientID)
        else { return .invalidToken }
        guard let token = clients.values[index].tokens.find(value, at: now) else {
            clients.values[index].resourceRefused += 1
            return .invalidToken
        }
        if let requiredScope, !token.scope.split(separator: " ").contains(Substring(requiredScope)) {
            clients.values[index].resourceRefused += 1
            return .insufficientScope
        }
        clients.values[index].resourceAccepted += 1
        return .granted(clientID: clientID, token: token)
    }

    private mutating func authenticate(
        _ credentials: ClientCredentials, at now: SandboxInstant, counting: Bool
    ) throws(ExchangeRefusal) -> (client: Dictionary<String, SandboxClient>.Index, secret: Int) {
        let replica = chooseReplica()
        guard let index = clients.index(forKey: credentials.clientID) else { throw .client(profile.unknownClient) }
        let match = clients.values[index].match(
            credentials.secret, atReplica: replica, profile: profile, at: now)
        if case .honoured(let secretIndex) = match, clients.values[index].isEnabled {
            return (index, secretIndex)
        }
        if counting { clients.values[index].countRefused(match, at: now) }
        throw .client(clients.values[index].isEnabled ? profile.wrongSecret : profile.disabledClient)
    }

    private static func grantedScope(of allowed: [String], requested: String?) throws(ExchangeRefusal) -> String {
        guard let requested else { return allowed.joined(separator: " ") }
        let names = requested.split(separator: " ").map(String.init)
        if let unknown = names.first(where: { !allowed.contains($0) }) { throw .scope(unknown) }
        return names.joined(separator: " ")
    }
}

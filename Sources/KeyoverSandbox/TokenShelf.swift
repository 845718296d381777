/// The live tokens of one client, at most so many, the oldest silently ended by one more.
struct TokenShelf: Sendable {
    struct Token: Sendable {
        let value: String
        let secretID: String
        let scope: String
        let issuedAt: SandboxInstant
        let expiresAt: SandboxInstant
    }

    private(set) var minted = 0
    private(set) var evicted = 0
    private var live: [Int: Token] = [:]
    private var oldest = 0
    private var earliestExpiry = SandboxInstant(milliseconds: .max)

    /// Puts a token on the shelf; the value carries its place, so that it is found again without a search.
    mutating func mint(
        owner: Int, secretID: String, scope: String, lifetime: Int, at now: SandboxInstant, cap: Int
    ) -> Token {
        discardExpired(at: now)
        while live.count >= cap, oldest < minted {
            if live.removeValue(forKey: oldest) != nil { evicted += 1 }
            oldest += 1
        }
        let token = Token(
            value: "\(owner).\(minted).\(RandomText.urlSafe())", secretID: secretID, scope: scope, issuedAt: now,
            expiresAt: now.advanced(bySeconds: lifetime))
        live[minted] = token
        minted += 1
        earliestExpiry = min(earliestExpiry, token.expiresAt)
        return token
    }

    /// The token if it lives.
    func find(_ value: String, at now: SandboxInstant) -> Token? {
        guard let place = TokenPlace(of: value), let token = live[place.number], token.expiresAt > now else {
            return nil
        }
        return constantTimeEqual(token.value.utf8, value.utf8) ? token : nil
    }

    func liveCount(at now: SandboxInstant) -> Int {
        live.values.count { $0.expiresAt > now }
    }

    mutating func end(_ token: Token) {
        if let place = TokenPlace(of: token.value) {
            live[place.number] = nil
        }
    }

    mutating func endAll(mintedWith secretID: String) {
        live = live.filter { $0.value.secretID != secretID }
    }

    mutating func endAll() {
        live = [:]
    }

    private mutating func discardExpired(at now: SandboxInstant) {
        guard earliestExpiry <= now else { return }
        live = live.filter { $0.value.expiresAt > now }
        earliestExpiry = live.values.map(\.expiresAt).min() ?? SandboxInstant(milliseconds: .max)
    }
}

/// Where a token lies, as the front of its value tells: `client.number.random`.
struct TokenPlace {
    let owner: Int
    let number: Int

    init?(of value: String) {
        let parts = value.utf8.split(separator: UInt8(ascii: "."), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let owner = Int(Substring(parts[0])), let number = Int(Substring(parts[1])) else {
            return nil
        }
        self.owner = owner
        self.number = number
    }
}

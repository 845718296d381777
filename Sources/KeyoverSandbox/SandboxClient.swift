/// One registered client with its secrets, tokens and counters.
struct SandboxClient: Sendable {
    /// How many deleted secrets keep their counters.
    static let tombstoneLimit = 100

    let ordinal: Int
    let clientID: String
    let createdAt: SandboxInstant
    var name: String
    var isEnabled = true
    var scopes: [String]
    var tokenLifetime: Int

    /// Every secret in the order of addition, deleted ones included for the sake of their counters.
    private(set) var ledger: [SandboxSecret] = []
    private var secretsMade: UInt64 = 0
    var tokens = TokenShelf()
    var unknownRefused = 0
    var resourceAccepted = 0
    var resourceRefused = 0
    var writes: [SandboxOperation: Int] = [:]

    init(ordinal: Int, draft: ClientDraft, clientID: String, at now: SandboxInstant) {
        self.ordinal = ordinal
        self.clientID = clientID
        createdAt = now
        name = draft.name ?? clientID
        scopes = draft.scopes ?? []
        tokenLifetime = draft.tokenLifetime ?? 3600
    }

    /// The secrets that count against the quota.
    var secrets: [SandboxSecret] { ledger.filter { !$0.isDeleted } }

    // MARK: Secrets

    mutating func add(
        _ draft: SecretDraft, profile: SandboxProfile, at now: SandboxInstant, settled: Bool
    ) throws(SandboxError) -> SandboxSecret {
        let held = secrets
        guard held.count < profile.maxSecrets else {
            throw SandboxError(
                .quotaExceeded, "client \(clientID) already holds \(held.count) secrets",
                remedy: "delete one of them first")
        }
        let value = draft.secret ?? Self.mintValue(profile.secretAlphabet)
        guard !held.contains(where: { $0.matches(Array(value.utf8)) }) else {
            throw .invalid("client \(clientID) holds that value already", remedy: "bring another one")
        }
        let salt = SplitMix64.mix(UInt64(ordinal), secretsMade)
        secretsMade += 1
        let secret = SandboxSecret(draft: draft, value: value, salt: salt, at: now, settled: settled)
        if profile.fuseSeconds > 0 {
            for index in ledger.indices where !ledger[index].isDeleted {
                ledger[index].fuse = (now.advanced(bySeconds: profile.fuseSeconds), litBy: secret.id)
            }
        }
        ledger.append(secret)
        return secret
    }

    mutating func deactivate(_ secretID: String, profile: SandboxProfile, at now: SandboxInstant) throws(SandboxError) {
        let index = try index(of: secretID)
        guard ledger[index].presence == .active else { return }
        try guardLastSecret(ledger[index], at: now)
        ledger[index].commit(.inactive, at: now)
        if profile.deletionEndsTokens { tokens.endAll(mintedWith: secretID) }
    }

    mutating func reactivate(_ secretID: String, at now: SandboxInstant) throws(SandboxError) {
        let index = try index(of: secretID)
        guard ledger[index].presence != .active else { return }
        ledger[index].commit(.active, at: now)
    }

    mutating func delete(_ secretID: String, profile: SandboxProfile, at now: SandboxInstant) throws(SandboxError) {
        let index = try index(of: secretID)
        try guardLastSecret(ledger[index], at: now)
        if profile.deleteRequiresInactive, ledger[index].presence == .active {
            throw SandboxError(
                .secretActive, "secret \(secretID) of client \(clientID) is active", remedy: "deactivate it first")
        }
        ledger[index].commit(.absent, at: now)
        if profile.deletionEndsTokens { tokens.endAll(mintedWith: secretID) }
        if profile.fuseEndsWithItsSecret {
            for other in ledger.indices where ledger[other].fuse?.litBy == secretID {
                ledger[other].fuse = nil
            }
        }
        if ledger.count(where: \.isDeleted) > Self.tombstoneLimit, let first = ledger.firstIndex(where: \.isDeleted) {
            ledger.remove(at: first)
        }
    }

    private func index(of secretID: String) throws(SandboxError) -> Int {
        guard let index = ledger.firstIndex(where: { $0.id == secretID && !$0.isDeleted }) else {
            throw .noSecret(secretID, of: clientID)
        }
        return index
    }

    private func guardLastSecret(_ secret: SandboxSecret, at now: SandboxInstant) throws(SandboxError) {
        guard secret.works(at: now), ledger.count(where: { $0.works(at: now) }) == 1 else { return }
        throw SandboxError(
            .lastSecret, "secret \(secret.id) is the last one of client \(clientID) that works",
            remedy: "add or reactivate another one first")
    }

    private static func mintValue(_ alphabet: SecretAlphabet) -> String {
        switch alphabet {
        case .base64url: RandomText.urlSafe()
        case .hostile: RandomText.hostile()
        }
    }

    // MARK: Authentication

    /// Which secret a presented value is, and whether the replica that was asked honours it.
    enum Match {
        case honoured(index: Int)
        case refused(index: Int)
        case unknown
    }

    mutating func match(
        _ value: [UInt8], atReplica replica: Int, profile: SandboxProfile, at now: SandboxInstant
    ) -> Match {
        for index in ledger.indices where ledger[index].isDeleted {
            ledger[index].forgetValue(after: profile, at: now)
        }
        let held = ledger.firstIndex { !$0.isDeleted && $0.matches(value) }
        guard let index = held ?? ledger.lastIndex(where: { $0.matches(value) }) else { return .unknown }
        // A replica that has not heard of a deletion still takes the secret.
        let isActive = ledger[index].presence(atReplica: replica, of: profile, at: now) == .active
        return isActive && !ledger[index].isExpired(at: now) ? .honoured(index: index) : .refused(index: index)
    }

    mutating func countAccepted(secretAt index: Int, at now: SandboxInstant) {
        ledger[index].accepted += 1
        ledger[index].lastAcceptedAt = now
    }

    mutating func countRefused(_ match: Match, at now: SandboxInstant) {
        switch match {
        case .honoured(let index), .refused(let index):
            ledger[index].refused += 1
            ledger[index].lastRefusedAt = now
        case .unknown:
            unknownRefused += 1
        }
    }
}

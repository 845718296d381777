/// Everything the sandbox remembers, and every decision it takes; no I/O, and the time comes with each call.
struct SandboxState: Sendable {
    var profile: SandboxProfile {
        didSet {
            if profile.seed != oldValue.seed { dice = SplitMix64(seed: UInt64(bitPattern: Int64(profile.seed))) }
        }
    }

    var clients: [String: SandboxClient] = [:]
    /// How many requests for an operation have come, whether or not anything was done about them yet.
    var arrivals: [SandboxOperation: Int] = [:]
    /// Which client a token belongs to, by the number at its front.
    private(set) var clientIDs: [Int: String] = [:]
    private var clientsMade = 0
    private var nextReplica = 0
    private var dice: SplitMix64

    init(profile: SandboxProfile) {
        self.profile = profile
        dice = SplitMix64(seed: UInt64(bitPattern: Int64(profile.seed)))
    }

    // MARK: Clients

    /// Registers a client with its first secret, which every replica knows at once.
    mutating func createClient(
        _ draft: ClientDraft, at now: SandboxInstant
    ) throws(SandboxError) -> (SandboxClient, SandboxSecret) {
        try draft.validate()
        let clientID = draft.clientID ?? "client-" + RandomText.hexadecimal(count: 8)
        guard clients[clientID] == nil else {
            throw SandboxError(.clientExists, "client \(clientID) exists already", remedy: "choose another clientID")
        }
        var client = SandboxClient(ordinal: clientsMade, draft: draft, clientID: clientID, at: now)
        let secret = try client.add(
            SecretDraft(displayName: "initial", secret: draft.secret), profile: profile, at: now, settled: true)
        clientsMade += 1
        clientIDs[client.ordinal] = clientID
        clients[clientID] = client
        return (client, secret)
    }

    mutating func change(clientID: String, _ draft: ClientDraft) throws(SandboxError) -> SandboxClient {
        try draft.validate()
        guard draft.clientID == nil, draft.secret == nil else {
            throw .invalid("neither the clientID nor a secret can be changed here")
        }
        return try withClient(clientID) { client throws(SandboxError) in
            client.name = draft.name ?? client.name
            client.scopes = draft.scopes ?? client.scopes
            client.tokenLifetime = draft.tokenLifetime ?? client.tokenLifetime
            client.isEnabled = draft.enabled ?? client.isEnabled
            if !client.isEnabled { client.tokens.endAll() }
            return client
        }
    }

    mutating func deleteClient(_ clientID: String) throws(SandboxError) {
        guard let client = clients.removeValue(forKey: clientID) else { throw .noClient(clientID) }
        clientIDs[client.ordinal] = nil
    }

    func client(_ clientID: String) throws(SandboxError) -> SandboxClient {
        guard let client = clients[clientID] else { throw .noClient(clientID) }
        return client
    }

    // MARK: Secrets

    mutating func addSecret(
        clientID: String, _ draft: SecretDraft, at now: SandboxInstant
    ) throws(SandboxError) -> SandboxSecret {
        try draft.validate(profile: profile, at: now)
        let profile = profile
        return try withClient(clientID) { client throws(SandboxError) in
            let secret = try client.add(draft, profile: profile, at: now, settled: false)
            client.writes[.add, default: 0] += 1
            return secret
        }
    }

    /// Deactivates, reactivates or deletes a secret; what it is already, it may become again.
    mutating func changeSecret(
        clientID: String, secretID: String, _ operation: SandboxOperation, at now: SandboxInstant
    ) throws(SandboxError) -> SandboxSecret? {
        let profile = profile
        return try withClient(clientID) { client throws(SandboxError) in
            switch operation {
            case .deactivate: try client.deactivate(secretID, profile: profile, at: now)
            case .reactivate: try client.reactivate(secretID, at: now)
            case .delete: try client.delete(secretID, profile: profile, at: now)
            case .token, .introspect, .revoke, .resource, .add, .list: return nil
            }
            client.writes[operation, default: 0] += 1
            return client.ledger.first { $0.id == secretID }
        }
    }

    mutating func withClient<Result>(
        _ clientID: String, _ body: (inout SandboxClient) throws(SandboxError) -> Result
    ) throws(SandboxError) -> Result {
        guard let index = clients.index(forKey: clientID) else { throw .noClient(clientID) }
        return try body(&clients.values[index])
    }

    // MARK: Chance

    /// The replica that answers the next request.
    mutating func chooseReplica() -> Int {
        switch profile.replicaChoice {
        case .random:
            return Int.random(in: 0..<profile.replicas, using: &dice)
        case .roundRobin:
            nextReplica = (nextReplica + 1) % profile.replicas
            return nextReplica
        }
    }

    /// Whether something that happens to this share of requests happens now.
    mutating func happens(toShare share: Double) -> Bool {
        share > 0 && Double.random(in: 0..<1, using: &dice) < share
    }

    mutating func choose<Element>(among choices: [Element]) -> Element? {
        choices.count > 1 ? choices.randomElement(using: &dice) : choices.first
    }
}

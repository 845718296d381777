internal import KeyoverCore

/// The authorization server: the truth about a client's secrets, and what each replica believes at any moment.
final class SimulatedServer {
    /// What a secret is, in one version of it.
    enum State { case absent, active, inactive }

    /// Who made a secret.
    enum Origin { case keyover, adopted, person, stranger }

    /// A change of a secret: committed at one moment, arriving at each replica at its own.
    struct Version {
        let state: State
        let committedAt: Int64
        let arrivals: [Int64]
        /// When a replica forgets the change again for a while.
        let lapses: [Range<Int64>?]
    }

    /// One secret, from its making to long after its removal.
    final class Secret {
        let id: SecretID
        let value: SecretValue
        let tag: String?
        let origin: Origin
        var versions: [Version]
        /// When the fuse of a younger secret ends it.
        var fuse: Int64?
        /// The secret that lit the fuse.
        var fusedBy: SecretID?
        var lastUse: Int64?

        init(id: SecretID, value: SecretValue, tag: String?, origin: Origin, first: Version) {
            self.id = id
            self.value = value
            self.tag = tag
            self.origin = origin
            versions = [first]
        }

        /// The state that all replicas will agree on.
        func truth(at now: Int64) -> State {
            if let fuse, fuse <= now { return .absent }
            return versions.last?.state ?? .absent
        }

        /// The state as one replica sees it.
        func state(at replica: Int, _ now: Int64) -> State {
            if let fuse, fuse <= now { return .absent }
            let visible = versions.last { version in
                version.arrivals[replica] <= now && !(version.lapses[replica]?.contains(now) ?? false)
            }
            return visible?.state ?? .absent
        }
    }

    let capabilities: Capabilities
    let replicas: Int
    private(set) var secrets: [Secret] = []
    /// When wrong secrets came lately.
    var wrongSecrets: [Int64] = []

    init(_ scenario: Scenario) {
        capabilities = scenario.capabilities
        replicas = scenario.replicas
    }

    /// The secrets that exist in truth.
    func existing(at now: Int64) -> [Secret] {
        secrets.filter { $0.truth(at: now) != .absent }
    }

    func secret(_ id: SecretID?) -> Secret? { secrets.first { $0.id == id } }

    func secret(withValue value: SecretValue) -> Secret? { secrets.first { $0.value == value } }

    /// Whether a replica takes the secret now.
    func accepts(_ secret: Secret, at replica: Int, _ now: Int64) -> Bool {
        secret.state(at: replica, now) == .active
    }

    // MARK: Changes

    func add(_ id: SecretID, value: SecretValue, tag: String?, origin: Origin, _ version: Version) -> Secret {
        if let fuse = capabilities.addStartsFuse, origin == .keyover {
            let deadline = version.committedAt + fuse.milliseconds
            for older in existing(at: version.committedAt) where older.fuse == nil {
                older.fuse = deadline
                older.fusedBy = id
            }
        }
        let secret = Secret(id: id, value: value, tag: tag, origin: origin, first: version)
        secrets.append(secret)
        return secret
    }

    func change(_ secret: Secret, _ version: Version) {
        secret.versions.append(version)
        guard version.state == .absent, capabilities.removalCancelsFuse else { return }
        for other in secrets where other.fusedBy == secret.id && other.truth(at: version.committedAt) != .absent {
            other.fuse = nil
            other.fusedBy = nil
        }
    }
}

extension Simulation {
    /// The way of a change to the replicas, drawn from the seed; something happens at each arrival.
    func version(_ state: SimulatedServer.State, immediate: Bool = false) -> SimulatedServer.Version {
        let bound = immediate ? 0 : scenario.capabilities.propagationBound.milliseconds
        var arrivals: [Int64] = []
        var lapses: [Range<Int64>?] = []
        for _ in 0..<scenario.replicas {
            let arrival = now + (generator.chance(500) ? bound : generator.within(0...bound))
            arrivals.append(arrival)
            after(arrival - now) { self.happened("a replica learned of a change") }
            let room = now + bound - arrival
            if room > 2, strikes(.flapping) {
                let start = arrival + generator.within(1...(room - 1))
                let end = min(now + bound, start + generator.within(1...room))
                lapses.append(start..<end)
                after(start - now) { self.happened("a replica forgot a change") }
                after(end - now) { self.happened("a replica remembered a change") }
            } else {
                lapses.append(nil)
            }
        }
        return SimulatedServer.Version(state: state, committedAt: now, arrivals: arrivals, lapses: lapses)
    }

    /// Makes a secret at the server, whoever asked for it.
    @discardableResult
    func makeSecret(
        _ origin: SimulatedServer.Origin, tag: String? = nil, immediate: Bool = false
    ) -> SimulatedServer.Secret {
        let value = SecretValue(copying: generator.bytes(12).map { 97 + $0 % 26 })
        let id = SecretID("s\(server.secrets.count + 1)")
        let secret = server.add(id, value: value, tag: tag, origin: origin, version(.active, immediate: immediate))
        for other in server.secrets {
            if let fuse = other.fuse, other.fusedBy == id { after(fuse - now) { self.happened("\(other.id) expired") } }
        }
        happened("provider: \(origin) secret \(id) exists")
        return secret
    }

    /// Brings a secret into another state, whoever asked for it.
    func changeSecret(_ secret: SimulatedServer.Secret, to state: SimulatedServer.State) {
        server.change(secret, version(state))
        happened("provider: \(secret.id) is \(state)")
    }
}

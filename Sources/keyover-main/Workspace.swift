import KeyoverCompliance
import KeyoverCore
import KeyoverEngine
import KeyoverOAuth
import KeyoverProviders

/// An open vault with everything that works on it: the parts that the engine and the commands are given.
struct Workspace: Sendable {
    let vault: any Vault
    let http: BoundedHTTP
    let policies: PolicySet
    let stateDirectory: String
    let audit: FileAuditLog
    let presence: LockFilePresence
    let clock = SystemClock()
    let actor: Actor
    private let claimTerm: TimeSpan
    /// The command line that takes a backup after each change, when there is one.
    private let afterRotation: String?
    /// Whether somebody else notes the end of the audit log, after many changes once.
    private var isOneOfMany = false

    init(
        vault: any Vault, http: BoundedHTTP, policies: PolicySet, stateDirectory: String,
        host: Name<HostRecord> = CurrentActor.hostName(), claimTerm: TimeSpan = .seconds(30),
        afterRotation: String? = nil
    ) async throws {
        self.vault = vault
        self.http = http
        self.policies = policies
        self.stateDirectory = stateDirectory
        self.claimTerm = claimTerm
        self.afterRotation = afterRotation
        actor = CurrentActor.read(host: host)
        audit = FileAuditLog(
            stateDirectory: stateDirectory, host: host,
            key: try await vault.derivedKey(for: .audit), actor: actor)
        presence = LockFilePresence(stateDirectory: stateDirectory)
    }

    /// A look at both clocks.
    var now: ClockReading { clock.now() }

    /// The policy that a client falls under, with what the vault lets readers keep.
    func policy(for client: ClientRecord) throws(PolicyError) -> RotationPolicy {
        var policy = try policies.policy(for: client)
        policy.readStaleness = (vault as? any StaleReadingVault)?.longestStaleness ?? .zero
        return policy
    }

    /// The record of a client.
    func client(_ name: ClientName) async throws -> Versioned<ClientRecord> {
        guard let found = try await vault.read(name) else {
            throw RotationError(
                .unknownClient, "there is no client named \(name)", remedy: "run keyover client list")
        }
        return found
    }

    /// The record of a tenant.
    func tenant(_ name: TenantName) async throws -> Versioned<TenantRecord> {
        guard let found = try await vault.read(name) else {
            throw ConfigurationError(
                .unknownTenant, "there is no tenant named \(name)", remedy: "run keyover tenant list")
        }
        return found
    }

    /// The adapter of a tenant.
    func provider(of tenant: TenantRecord) throws(ConfigurationError) -> any Provider {
        try ProviderRegistry.make(tenant: tenant, http: http)
    }

    /// What tries secrets of a tenant's clients; plain http to loopback is for those whose provider says so.
    func exchanger(for tenant: TenantRecord) throws(ConfigurationError) -> TokenExchanger {
        let kind = try ProviderRegistry.kind(named: tenant.provider)
        return TokenExchanger(http: http, allowsLoopbackHTTP: kind.allowsLoopbackHTTP(for: tenant))
    }

    /// The parts that an engine for one client works with.
    func parts(
        for record: ClientRecord, progress: @escaping @Sendable (RotationProgress) -> Void = { _ in }
    ) async throws -> EngineParts {
        let tenant = try await tenant(record.registration.tenant).record
        let policy = try policy(for: record)
        var deliveries = DeliveryRegistry.byKind
        if let automaticBackup { deliveries[BackupDelivery.kind] = BackupDelivery(backup: automaticBackup) }
        var parts = EngineParts(
            vault: vault, exchanger: try exchanger(for: tenant),
            provider: { try provider(of: try await self.tenant($0).record) }, audit: audit, clock: clock,
            randomness: SystemRandomness(), presence: presence, deliveries: deliveries,
            policy: { _ in policy }, actor: actor, claimTerm: claimTerm, interruption: Signals.interruption,
            progress: progress)
        if automaticBackup != nil {
            parts.standingDeliveries = [DeliveryTarget(kind: BackupDelivery.kind, arguments: [])]
        }
        return parts
    }

    private var automaticBackup: AutomaticBackup? {
        afterRotation.map { AutomaticBackup(Backup(workspace: self), command: $0) }
    }

    /// An engine for one client.
    func engine(
        for name: ClientName, progress: @escaping @Sendable (RotationProgress) -> Void = { _ in }
    ) async throws -> RotationEngine {
        RotationEngine(try await parts(for: try await client(name).record, progress: progress))
    }

    /// Notes the end of the audit log in the vault: what a command that changed something does last.
    func noteAuditHead() async throws {
        guard !isOneOfMany else { return }
        try await HostMark(vault: vault, log: audit).update()
        try await backUpIfChanged()
    }

    /// Makes a backup with the command that is configured for it, if there is one and something has changed.
    func backUpIfChanged() async throws {
        try await automaticBackup?.runIfChanged()
    }

    /// The workspace for one of many changes, after the last of which ``noteAuditHead()`` is called on this one.
    ///
    /// A backup after each of a thousand changes would be a thousand backups of the whole vault.
    func forOneOfMany() -> Workspace {
        var workspace = self
        workspace.isOneOfMany = true
        return workspace
    }

    /// A fresh record id.
    func freshID() -> UUIDv7 {
        var generator = SystemRandomNumberGenerator()
        return UUIDv7(at: clock.now().wall, using: &generator)
    }
}

// MARK: Changes by people

extension Workspace {
    private static let attempts = 5

    /// Stores a new client, whose history begins with the action.
    func add(_ record: ClientRecord, action: String, details: [String: String], reason: String?) async throws {
        try await tenant(record.registration.tenant).record.requireHere()
        var record = record
        record.note(action, details, actor: actor, reason: reason, at: clock.now().wall)
        let revision: Revision
        do {
            revision = try await vault.write(record, expecting: nil)
        } catch {
            guard error.code == .conflict else { throw error }
            throw ConfigurationError(
                .invalidValue, "there is a client named \(record.name) already",
                remedy: "run keyover client show \(record.name)", underlying: error)
        }
        do {
            try await tenant(record.registration.tenant).record.requireHere()
        } catch let error as RotationError {
            // The tenants move before the clients: one that comes after them may be overlooked.
            try await vault.delete(record.name, expecting: revision)
            throw error
        }
        try await flush(Versioned(record, revision))
        try await noteAuditHead()
    }

    /// Changes what an admin says about a client; what rides in the same write as a line of its history.
    ///
    /// The body is run again on the newer record when somebody else was faster, so it must depend on nothing else.
    @discardableResult
    func change(
        _ name: ClientName, action: String, reason: String?,
        _ body: (inout ClientRecord) throws -> [String: String]
    ) async throws -> ClientRecord {
        for _ in 1...Self.attempts {
            let current = try await client(name)
            try current.record.requireHere()
            var next = current.record
            let details = try body(&next)
            next.note(action, details, actor: actor, reason: reason, at: clock.now().wall)
            do {
                let revision = try await vault.write(next, expecting: current.revision)
                try await flush(Versioned(next, revision))
                try await noteAuditHead()
                return next
            } catch let error as VaultError where error.code == .conflict {
                continue
            }
        }
        throw RotationError(
            .busy, "\(name) is being changed by others all the time", remedy: "run the command again",
            isRetryable: true)
    }

    /// Refuses somebody who was granted metadata only, before anything is noted as done that he may not do.
    func demandValueAccess() async throws(VaultError) {
        _ = try await vault.derivedKey(for: .fingerprint)
    }

    /// Forgets a client; the line of its history is in the log before the record is gone.
    func remove(_ current: Versioned<ClientRecord>, reason: String?) async throws {
        try await demandValueAccess()
        try current.record.requireHere()
        var last = current.record
        last.note(
            "client.removed", ["owned": last.owned.map(\.secretID.description).joined(separator: " ")],
            actor: actor, reason: reason, at: clock.now().wall)
        try await audit.append(last.outbox)
        try await vault.delete(last.name, expecting: current.revision)
        try await noteAuditHead()
    }

    /// Writes a line about a tenant to the audit log.
    ///
    /// Tenants hold no outbox: each line stands for itself, under a record id of its own.
    func note(_ action: String, _ tenant: TenantRecord, _ details: [String: String], reason: String?) async throws {
        guard let name = ClientName(tenant.name.description) else { return }
        let particulars = ["tenant": tenant.name.description, "tenantID": tenant.id.description]
        try await audit.append([
            AuditEntry(
                sequence: 1, time: clock.now().wall, record: freshID(), client: name, rotation: nil, action: action,
                actor: actor, reason: reason, details: particulars.merging(details) { first, _ in first })
        ])
        try await noteAuditHead()
    }

    /// Copies a record's lines to the audit log and strikes them out of the record.
    ///
    /// The change itself is stored by now. When the log does not take the lines, they wait in the record, and the next
    /// rotation does not begin before they are there.
    private func flush(_ stored: Versioned<ClientRecord>) async throws {
        try await audit.append(stored.record.outbox)
        var next = stored.record
        next.outbox = []
        // Somebody who was faster takes the lines along; the log knows them and writes none twice.
        _ = try? await vault.write(next, expecting: stored.revision)
    }
}

import KeyoverCompliance
import KeyoverCore
import KeyoverOAuth
import KeyoverProviders

/// Compares an inventory with the vault; changes nothing and asks no provider.
struct InventoryPlanner {
    let workspace: Workspace
    let input: SecretInput
    private(set) var plan = InventoryPlan()
    /// Tenants whose clients have to wait.
    private var unavailable: Set<TenantName> = []

    init(workspace: Workspace, input: SecretInput) {
        self.workspace = workspace
        self.input = input
    }

    /// The differences; with `isPruning`, what the inventory does not list is one too.
    static func plan(
        _ inventory: Inventory, isPruning: Bool, _ workspace: Workspace, _ input: SecretInput
    ) async throws -> InventoryPlan {
        var planner = Self(workspace: workspace, input: input)
        let clients = try await workspace.vault.summaries(ClientRecord.self).map(\.record)
        let tenants = try await workspace.vault.summaries(TenantRecord.self).map(\.record.name)
        let byName = Dictionary(clients.map { ($0.name, $0) }) { first, _ in first }
        for (name, entry) in inventory.tenants ?? [] { try await planner.compare(name, entry) }
        for (name, tenant, entry) in inventory.clients ?? [] {
            guard let provider = try await planner.provider(of: tenant, for: .client(name)) else { continue }
            if let record = byName[name] {
                planner.compare(record, tenant, entry, provider)
            } else {
                planner.adopt(name, tenant, entry, provider)
            }
        }
        planner.compareRest(inventory, clients, tenants, isPruning: isPruning)
        return planner.plan
    }

    private mutating func block(_ subject: InventoryChange.Subject, _ message: String, hint: String?) {
        plan.changes.append(InventoryChange(subject: subject, work: .blocked(message: message, hint: hint)))
    }

    // MARK: Tenants

    private mutating func compare(_ name: TenantName, _ entry: TenantEntry) async throws {
        let subject = InventoryChange.Subject.tenant(name)
        let current = try await workspace.vault.read(name)?.record
        do {
            var next =
                current
                ?? TenantRecord(
                    id: workspace.freshID(), name: name, provider: entry.provider ?? "",
                    createdAt: workspace.now.wall)
            entry.apply(to: &next)
            guard next.provider == entry.provider else {
                unavailable.insert(name)
                block(
                    subject, "the vault has it with the provider \(next.provider)",
                    hint: "a tenant keeps its provider; write another tenant")
                return
            }
            if current == nil {
                next.adminCredential = try entry.adminFile.map { try input.file($0) }
                if next.adminCredential == nil, try ProviderRegistry.kind(named: next.provider).needsAdminCredential {
                    unavailable.insert(name)
                    block(subject, "needs an admin credential", hint: ShellCommand.adding(next))
                    return
                }
            }
            plan.accounts[name] = (next, try workspace.provider(of: next))
            note(subject, current, next, adminFile: entry.adminFile)
        } catch {
            unavailable.insert(name)
            plan.changes.append(.blocked(subject, by: error))
        }
    }

    private mutating func note(
        _ subject: InventoryChange.Subject, _ current: TenantRecord?, _ next: TenantRecord, adminFile: String?
    ) {
        guard let current else {
            var bare = TenantRecord(id: next.id, name: next.name, provider: next.provider, createdAt: next.createdAt)
            bare.adminCredential = next.adminCredential
            let said =
                [
                    FieldChange(key: "provider", auditKey: "provider", old: nil, new: next.provider)
                ] + bare.changes(to: next) + Self.file("admin_file", adminFile)
            var change = InventoryChange(subject: subject, work: .addTenant(next), fields: said)
            if let adminFile, let place = next.destination {
                change.warnings = ["the credential in \(adminFile) will be sent to \(place)"]
            }
            plan.changes.append(change)
            return
        }
        let fields = current.changes(to: next)
        guard !fields.isEmpty else {
            plan.unchanged += 1
            return
        }
        var change = InventoryChange(
            subject: subject, work: .changeTenant(from: current, to: next), fields: fields)
        if current.destination != next.destination {
            change.warnings = ["secrets of \(next.name) will be sent to \(next.destination ?? "another place")"]
        }
        plan.changes.append(change)
    }

    /// The adapter of a client's tenant, as it will be; without one the client has to wait.
    private mutating func provider(
        of tenant: TenantName, for subject: InventoryChange.Subject
    ) async throws -> (any Provider)? {
        if let account = plan.accounts[tenant] { return account.provider }
        if unavailable.contains(tenant) {
            block(subject, "its tenant \(tenant) comes first", hint: nil)
            return nil
        }
        guard let record = try await workspace.vault.read(tenant)?.record else {
            block(subject, "there is no tenant \(tenant)", hint: "list it under tenants, or correct the name")
            return nil
        }
        do {
            let provider = try workspace.provider(of: record)
            plan.accounts[tenant] = (record, provider)
            return provider
        } catch {
            plan.changes.append(.blocked(subject, by: error))
            return nil
        }
    }

    // MARK: Clients

    private mutating func compare(
        _ record: ClientRecord, _ tenant: TenantName, _ entry: ClientEntry, _ provider: any Provider
    ) {
        let subject = InventoryChange.Subject.client(record.name)
        guard record.registration.tenant == tenant else {
            block(
                subject, "the vault has it as a client of the tenant \(record.registration.tenant)",
                hint: "a client keeps its tenant; correct the inventory")
            return
        }
        let ids = [record.primary.clientID, record.secondary?.clientID, record.standby?.clientID].compactMap(\.self)
        if let id = entry.clientID, !ids.contains(id) {
            block(
                subject, "the vault has it with the client id \(ids[0])",
                hint: "a client keeps its client id; correct the inventory")
            return
        }
        do {
            let next = entry.registration(in: tenant, standardURL: provider.tokenURL)
            try check(next)
            var preview = record
            preview.registration = next
            _ = try Strategies.choose(for: preview, provider: provider)
            _ = try workspace.policy(for: preview)
            let fields = record.registration.changes(to: next)
            guard !fields.isEmpty else {
                plan.unchanged += 1
                return
            }
            var change = InventoryChange(
                subject: subject, work: .changeClient(from: record.registration, to: next), fields: fields)
            if record.registration.tokenURL != next.tokenURL {
                change.warnings = ["the secret of \(record.name) will be sent to \(next.tokenURL ?? "nowhere")"]
            }
            plan.changes.append(change)
        } catch {
            plan.changes.append(.blocked(subject, by: error))
        }
    }

    private mutating func adopt(
        _ name: ClientName, _ tenant: TenantName, _ entry: ClientEntry, _ provider: any Provider
    ) {
        let subject = InventoryChange.Subject.client(name)
        guard let file = entry.secretFile else {
            block(subject, "needs a secret", hint: ShellCommand.adding(name, tenant, entry))
            return
        }
        guard let clientID = entry.clientID else {
            block(subject, "needs its client_id", hint: "write client_id: ID")
            return
        }
        do {
            let shown = entry.registration(in: tenant, standardURL: provider.tokenURL)
            try check(shown)
            let adopted = ImportEntry(
                line: entry.place.line, name: name, registration: entry.registration(in: tenant, standardURL: nil),
                clientID: clientID, secret: try input.file(file), secretID: entry.secretID, issuedAt: entry.issuedAt)
            let fields = [
                FieldChange(key: "tenant", auditKey: "tenant", old: nil, new: tenant.description),
                FieldChange(key: "client_id", auditKey: "clientID", old: nil, new: clientID),
            ]
            plan.changes.append(
                InventoryChange(
                    subject: subject, work: .adoptClient(adopted),
                    fields: fields + Registration(tenant: tenant).changes(to: shown) + Self.file("secret_file", file),
                    warnings: ["the secret in \(file) will be sent to \(shown.tokenURL ?? "nowhere")"]))
        } catch {
            plan.changes.append(.blocked(subject, by: error))
        }
    }

    private static func file(_ key: String, _ path: String?) -> [FieldChange] {
        path.map { [FieldChange(key: key, auditKey: key, old: nil, new: $0)] } ?? []
    }

    private func check(_ registration: Registration) throws {
        guard let url = registration.tokenURL else {
            throw ConfigurationError(
                .invalidURL, "the tenant \(registration.tenant) has no token endpoint", remedy: "write token_url: URL")
        }
        guard let tenant = plan.accounts[registration.tenant]?.tenant else { return }
        let isLoopbackAllowed = try ProviderRegistry.kind(named: tenant.provider).allowsLoopbackHTTP(for: tenant)
        for url in [url, registration.canaryURL].compactMap(\.self) {
            _ = try EndpointURL(url, allowsLoopbackHTTP: isLoopbackAllowed)
        }
    }

    // MARK: What the inventory does not list

    private mutating func compareRest(
        _ inventory: Inventory, _ clients: [ClientRecord], _ tenants: [TenantName], isPruning: Bool
    ) {
        let listed = Set(inventory.clients?.map(\.name) ?? [])
        let listedTenants = Set(inventory.tenants?.map(\.name) ?? [])
        // A tenant is needed by the clients that stay, and by those that the inventory speaks of.
        var used = Set(inventory.clients?.map(\.tenant) ?? [])
        for record in clients {
            guard !listed.contains(record.name), isPruning, inventory.clients != nil else {
                if !listed.contains(record.name) { plan.unlisted += 1 }
                used.insert(record.registration.tenant)
                continue
            }
            if !remove(record) { used.insert(record.registration.tenant) }
        }
        for name in tenants where !listedTenants.contains(name) {
            guard isPruning, inventory.tenants != nil, !used.contains(name) else {
                plan.unlisted += 1
                continue
            }
            plan.changes.append(InventoryChange(subject: .tenant(name), work: .removeTenant))
        }
    }

    private mutating func remove(_ record: ClientRecord) -> Bool {
        let subject = InventoryChange.Subject.client(record.name)
        do {
            try record.demandRemovable()
            plan.changes.append(
                InventoryChange(
                    subject: subject, work: .removeClient,
                    warnings: ["the secret of \(record.name) goes with it, and the provider shows none again"]))
            return true
        } catch {
            plan.changes.append(.blocked(subject, by: error))
            return false
        }
    }
}

import KeyoverCore

/// Does away with the differences between an inventory and the vault, one compare-and-swap each.
///
/// A difference that fails stops no other, and one that somebody else did away with meanwhile counts as done. What a
/// person said yes to is what is done: a registration that changed since it was shown is left alone.
struct InventoryApplier {
    /// What became of a difference.
    enum Outcome {
        case done
        case unchanged
        case failed(message: String, hint: String?)
    }

    /// Thrown where there is nothing left to do.
    private struct AlreadyDone: Error {}

    let workspace: Workspace
    let plan: InventoryPlan
    let reason: String?
    private(set) var outcomes: [InventoryChange.Subject: Outcome] = [:]

    init(workspace: Workspace, plan: InventoryPlan, reason: String?) {
        self.workspace = workspace
        self.plan = plan
        self.reason = reason
    }

    /// Goes through the differences: tenants, clients that are new, the other clients, at last the tenants to remove.
    mutating func apply(progress: (Int) -> Void) async {
        let pending = plan.pending
        func isTenant(_ change: InventoryChange) -> Bool {
            if case .tenant = change.subject { change.action != .remove } else { false }
        }
        for change in pending where isTenant(change) { await perform(change, progress) }
        await adopt(pending, progress)
        for change in pending where outcomes[change.subject] == nil { await perform(change, progress) }
    }

    private mutating func adopt(_ pending: [InventoryChange], _ progress: (Int) -> Void) async {
        var entries: [ImportEntry] = []
        for change in pending {
            guard case .adoptClient(let entry) = change.work else { continue }
            if case .failed = outcomes[.tenant(entry.registration.tenant)] {
                outcomes[change.subject] = .failed(
                    message: "its tenant \(entry.registration.tenant) could not be added or changed", hint: nil)
            } else {
                entries.append(entry)
            }
        }
        let (before, run) = (
            outcomes.count,
            ImportRun(
                workspace: workspace, accounts: plan.accounts, isVerifying: true, isDry: false, reason: reason)
        )
        for result in await run.run(entries, progress: { progress(before + $0) }) {
            outcomes[.client(result.entry.name)] =
                switch result.outcome {
                case .added, .wouldAdd: .done
                case .unchanged: .unchanged
                case .failed(let message, let hint): .failed(message: message, hint: hint)
                }
        }
    }

    private mutating func perform(_ change: InventoryChange, _ progress: (Int) -> Void) async {
        do {
            guard !Signals.wasAsked else { throw CancellationError() }
            try await carryOut(change)
            outcomes[change.subject] = .done
        } catch is AlreadyDone {
            outcomes[change.subject] = .unchanged
        } catch {
            let report = ErrorReport(error)
            outcomes[change.subject] = .failed(message: report.message ?? "interrupted", hint: report.hint)
        }
        progress(outcomes.count)
    }

    private func carryOut(_ change: InventoryChange) async throws {
        switch (change.subject, change.work) {
        case (.tenant, .addTenant(let tenant)): try await add(tenant)
        case (.tenant(let name), .changeTenant(let from, let to)): try await edit(name, from, to)
        case (.tenant(let name), .removeTenant):
            guard let current = try await workspace.vault.read(name) else { throw AlreadyDone() }
            try await workspace.demandUnused(name)
            try await workspace.remove(current, reason: reason)
        case (.client(let name), .changeClient(let from, let to)):
            if case .failed = outcomes[.tenant(to.tenant)] {
                throw RotationError(.wrongInput, "its tenant \(to.tenant) could not be changed")
            }
            try await edit(name, from, to)
        case (.client(let name), .removeClient):
            guard let current = try await workspace.vault.read(name) else { throw AlreadyDone() }
            try current.record.demandRemovable()
            try await workspace.remove(current, reason: reason)
        case (_, .blocked), (_, .adoptClient), (.tenant, _), (.client, _):
            throw AlreadyDone()
        }
    }

    private func add(_ tenant: TenantRecord) async throws {
        do {
            try await workspace.add(tenant, reason: reason)
        } catch {
            guard let found = try? await workspace.vault.read(tenant.name)?.record,
                found.provider == tenant.provider, found.changes(to: tenant).isEmpty
            else { throw error }
            throw AlreadyDone()
        }
    }

    private func edit(_ name: TenantName, _ from: TenantRecord, _ to: TenantRecord) async throws {
        let wanted = from.changes(to: to)
        try await workspace.change(name, reason: reason) { record in
            let isThere = (record.region, record.baseURL) == (to.region, to.baseURL) && record.settings == to.settings
            if isThere { throw AlreadyDone() }
            guard (record.region, record.baseURL) == (from.region, from.baseURL), record.settings == from.settings
            else { throw Self.changedMeanwhile("the tenant \(name)") }
            (record.region, record.baseURL, record.settings) = (to.region, to.baseURL, to.settings)
            return wanted
        }
    }

    private func edit(_ name: ClientName, _ from: Registration, _ to: Registration) async throws {
        try await workspace.change(name, action: "client.edited", reason: reason) { record in
            if record.registration == to { throw AlreadyDone() }
            guard record.registration == from else { throw Self.changedMeanwhile(name.description) }
            record.registration = to
            return FieldChange.details(from.changes(to: to))
        }
    }

    private static func changedMeanwhile(_ what: String) -> RotationError {
        RotationError(
            .busy, "\(what) was changed by somebody else since its differences were shown",
            remedy: "run the command again", isRetryable: true)
    }
}

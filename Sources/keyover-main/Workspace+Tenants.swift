import KeyoverCore

/// Changes of tenants by people.
extension Workspace {
    /// Stores a new tenant.
    func add(_ tenant: TenantRecord, reason: String?) async throws {
        for known in try await vault.summaries(TenantRecord.self) { try known.record.requireHere() }
        do {
            _ = try await vault.write(tenant, expecting: nil)
        } catch {
            guard error.code == .conflict else { throw error }
            throw ConfigurationError(
                .invalidValue, "there is a tenant named \(tenant.name) already",
                remedy: "change it with keyover tenant edit \(tenant.name)", underlying: error)
        }
        try await note("tenant.added", tenant, ["provider": tenant.provider], reason: reason)
    }

    /// Changes what an admin says about a tenant.
    ///
    /// The body is run again on the newer record when somebody else was faster, so it must depend on nothing else.
    func change(
        _ name: TenantName, reason: String?, _ body: (inout TenantRecord) throws -> [FieldChange]
    ) async throws {
        for _ in 1...5 {
            let current = try await tenant(name)
            try current.record.requireHere()
            var next = current.record
            let changes = try body(&next)
            do {
                _ = try await vault.write(next, expecting: current.revision)
            } catch {
                guard error.code == .conflict else { throw error }
                continue
            }
            try await note("tenant.edited", next, FieldChange.details(changes), reason: reason)
            return
        }
        throw RotationError(
            .busy, "the tenant \(name) is being changed by others all the time", remedy: "run the command again",
            isRetryable: true)
    }

    /// Refuses a tenant that clients belong to.
    func demandUnused(_ name: TenantName) async throws {
        let users = try await vault.summaries(ClientRecord.self)
            .filter { $0.record.registration.tenant == name }.map(\.record.name.description)
        guard users.isEmpty else {
            throw ConfigurationError(
                .invalidValue, "tenant \(name) is used by \(users.joined(separator: ", "))",
                remedy: "remove the clients first, with keyover client remove NAME")
        }
    }

    /// Forgets a tenant; the line about it is in the log before the record is gone.
    func remove(_ current: Versioned<TenantRecord>, reason: String?) async throws {
        try current.record.requireHere()
        try await note("tenant.removed", current.record, [:], reason: reason)
        try await vault.delete(current.record.name, expecting: current.revision)
    }
}

public import KeyoverCore

extension VaultMigration {
    /// How often the source is gone through for records that were added meanwhile.
    private static let passes = 100

    /// Moves every record: from then on it is true in the destination and refused in the source.
    ///
    /// Nothing is marked before no runner is at work any more, or the patience is over. Tenants go first, since no client
    /// is added to a tenant that has moved.
    public mutating func move(_ relocation: Relocation, patience: TimeSpan) async throws(VaultError) {
        let deadline = ContinuousClock.now + .milliseconds(patience.milliseconds)
        try await copy()
        try await outlastRunners(until: deadline)
        var left = 1
        for _ in 0..<Self.passes where left > 0 {
            left = try await mark(TenantRecord.self, relocation, deadline)
            left += try await mark(ClientRecord.self, relocation, deadline)
        }
        guard left == 0 else { throw Self.restless("the old vault") }
        for host in try await source.summaries(HostRecord.self) { _ = try await copy(host.record.name) }
        // What was reported to the source before the mark, and after the copy.
        for client in try await source.summaries(ClientRecord.self) {
            try await copyLedger(of: client.record.name, exactly: false)
        }
    }

    /// Waits until no runner is at work on any client.
    private func outlastRunners(until deadline: ContinuousClock.Instant) async throws(VaultError) {
        while true {
            let busy = try await source.summaries(ClientRecord.self).map(\.record)
                .filter { $0.moved == nil && isHeld($0) }.map(\.name)
            guard !busy.isEmpty else { return }
            try await pause(busy, until: deadline)
        }
    }

    private func pause(_ busy: [ClientName], until deadline: ContinuousClock.Instant) async throws(VaultError) {
        let names = busy.map(\.description).joined(separator: ", ")
        try report(.waiting, ClientRecord.kind, 0, of: busy.count, names)
        guard ContinuousClock.now < deadline, (try? await Task.sleep(for: .milliseconds(100))) != nil else {
            throw VaultError(
                .conflict, "a rotation is at work: \(names)", remedy: "run the command again when it has ended",
                isRetryable: true)
        }
    }

    /// Marks all records of a kind that are not marked yet; answers how many there were.
    private mutating func mark<Record: MovableRecord>(
        _ type: Record.Type, _ relocation: Relocation, _ deadline: ContinuousClock.Instant
    ) async throws(VaultError) -> Int {
        let names = try await source.summaries(type).filter { $0.record.moved == nil }.map(\.record.name)
        for (index, name) in names.enumerated() {
            try report(.moving, Record.kind, index, of: names.count, name.description)
            try await mark(name, relocation, deadline)
        }
        return names.count
    }

    private mutating func mark<Record: MovableRecord>(
        _ name: Name<Record>, _ relocation: Relocation, _ deadline: ContinuousClock.Instant
    ) async throws(VaultError) {
        var silences = 0
        for _ in 0..<Self.attempts {
            guard let found = try await copy(name) else { return }
            if let client = found.record as? ClientRecord, isHeld(client) {
                try await pause([client.name], until: deadline)
                continue
            }
            var next = found.record
            next.moved = relocation
            do throws(VaultError) {
                _ = try await source.write(next, expecting: found.revision)
                return
            } catch {
                // After a lost answer nobody knows whether it is marked; the next look at the record tells.
                if error.code == .unavailable { silences += 1 }
                guard error.code == .conflict || error.code == .unavailable && silences < 3 else { throw error }
            }
        }
        throw Self.restless("\(Record.kind) \(name)")
    }

    private static func restless(_ what: String) -> VaultError {
        VaultError(
            .conflict, "\(what) is being changed by others all the time", remedy: "run the command again",
            isRetryable: true)
    }
}

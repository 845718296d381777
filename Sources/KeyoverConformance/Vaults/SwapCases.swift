public import KeyoverCore

extension VaultSuite {
    static let swapCases: [Promise] = [
        ("a stale revision conflicts and changes nothing", staleRevisions),
        ("what is there is not created again, and what is not there is not replaced", wrongExpectations),
        ("every write has a revision of its own, also one that changes nothing", freshRevisions),
        ("deleting and creating again never reuses a revision", recreation),
        ("of several who create a record at once exactly one wins", creationRace),
        ("under contention no increment is lost", contention),
    ]

    @Sendable private static func staleRevisions(_ fixture: any VaultFixture) async throws {
        var client = SampleRecords.client("stale")
        let first = try await fixture.vault.write(client, expecting: nil)
        client.generation = 2
        let second = try await fixture.vault.write(client, expecting: first)
        var late = client
        late.generation = 99
        try await expectFailure(.conflict, "a write with a stale revision") {
            _ = try await fixture.vault.write(late, expecting: first)
        }
        try await expectFailure(.conflict, "a deletion with a stale revision") {
            try await fixture.vault.delete(client.name, expecting: first)
        }
        let found = try await fixture.vault.existing(client.name)
        try expect(found.record == client && found.revision == second, "a refused change left a trace")
    }

    @Sendable private static func wrongExpectations(_ fixture: any VaultFixture) async throws {
        let client = SampleRecords.client("once")
        let revision = try await fixture.vault.write(client, expecting: nil)
        try await expectFailure(.conflict, "a second creation") {
            _ = try await fixture.vault.write(client, expecting: nil)
        }
        let absent = SampleRecords.client("absent")
        try await expectFailure(.conflict, "a replacement of nothing") {
            _ = try await fixture.vault.write(absent, expecting: revision)
        }
        try await expectFailure(.conflict, "a deletion of nothing") {
            try await fixture.vault.delete(absent.name, expecting: revision)
        }
        let found = try await fixture.vault.read(absent.name)
        try expect(found == nil, "a refused write left a record")
    }

    @Sendable private static func freshRevisions(_ fixture: any VaultFixture) async throws {
        let client = SampleRecords.client("same")
        var seen: Set<Revision> = []
        var revision: Revision?
        for _ in 1...5 {
            let next = try await fixture.vault.write(client, expecting: revision)
            try expect(seen.insert(next).inserted, "revision \(next) was used twice")
            revision = next
        }
    }

    @Sendable private static func recreation(_ fixture: any VaultFixture) async throws {
        let client = SampleRecords.client("phoenix")
        var seen: Set<Revision> = []
        for _ in 1...4 {
            let revision = try await fixture.vault.write(client, expecting: nil)
            try expect(seen.insert(revision).inserted, "revision \(revision) was used twice")
            try await fixture.vault.delete(client.name, expecting: revision)
            let found = try await fixture.vault.read(client.name)
            try expect(found == nil, "a deleted record is still there")
            try await expectFailure(.conflict, "a write with the revision of a deleted record") {
                _ = try await fixture.vault.write(client, expecting: revision)
            }
        }
    }

    @Sendable private static func creationRace(_ fixture: any VaultFixture) async throws {
        let handles = [fixture.vault, try await fixture.secondHandle()]
        let winners = try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<8 {
                group.addTask {
                    let client = SampleRecords.client("contested", secret: "\(index)", number: UInt64(index))
                    do {
                        _ = try await handles[index % 2].write(client, expecting: nil)
                        return 1
                    } catch let error as VaultError where error.code == .conflict {
                        return 0
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        try expect(winners == 1, "\(winners) of 8 created the same record")
    }

    @Sendable private static func contention(_ fixture: any VaultFixture) async throws {
        let name: ClientName = SampleRecords.name("counter")
        _ = try await fixture.vault.write(SampleRecords.client("counter"), expecting: nil)
        try await increment(
            name, in: [fixture.vault, try await fixture.secondHandle(), try await fixture.secondHandle()],
            workers: 6, times: 20)
        let found = try await fixture.vault.existing(name).record
        try expect(found.generation == 121, "the counter stands at \(found.generation) instead of 121")
    }

    /// Raises a client's generation by one, so many times in each of so many tasks, spread over the handles.
    public static func increment(_ name: ClientName, in handles: [any Vault], workers: Int, times: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<workers {
                let vault = handles[worker % handles.count]
                group.addTask {
                    for _ in 0..<times {
                        var isDone = false
                        while !isDone {
                            var current = try await vault.existing(name)
                            current.record.generation += 1
                            do {
                                _ = try await vault.write(current.record, expecting: current.revision)
                                isDone = true
                            } catch let error as VaultError where error.code == .conflict {
                                await Task.yield()
                            }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}

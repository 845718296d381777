import KeyoverCore
import Synchronization

extension VaultSuite {
    static let changeCases: [Promise] = [
        ("a change is heard of whoever made it, from the first moment on", changes),
        ("of many changes at once none is missed", manyChanges),
    ]

    static let outageCases: [Promise] = [
        ("changes are heard of again after the server was dead", changesAfterDeath)
    ]

    @Sendable private static func changes(_ fixture: any VaultFixture) async throws {
        let watched: any WatchableVault = try demand(.changes, fixture)
        let writers = [fixture.vault, try await fixture.secondHandle()]
        var client = SampleRecords.client("watched")
        var listener = ChangeListener(watched)
        var revision = try await writers[1].write(client, expecting: nil)
        try await listener.hears(client.name, moreThan: 0, "its creation")
        listener.stop()
        for round in 0..<8 {
            // Every other round listens anew and changes something in the same breath.
            if round.isMultiple(of: 2) { listener = ChangeListener(watched) }
            let before = listener.count(client.name)
            if round.isMultiple(of: 4) {
                client.rotation = SampleRecords.clientInRotation("watched").rotation
            } else {
                client.generation += 1
            }
            revision = try await writers[round % 2].write(client, expecting: revision)
            try await listener.hears(client.name, moreThan: before, "change \(round)")
            if !round.isMultiple(of: 2) { listener.stop() }
        }
    }

    @Sendable private static func manyChanges(_ fixture: any VaultFixture) async throws {
        let watched: any WatchableVault = try demand(.changes, fixture)
        let handles = [fixture.vault, try await fixture.secondHandle(), try await fixture.secondHandle()]
        var known: [(client: ClientRecord, revision: Revision)] = []
        for index in 0..<24 {
            let client = SampleRecords.client("many-\(index)", number: UInt64(index))
            known.append((client, try await fixture.vault.write(client, expecting: nil)))
        }
        let listener = ChangeListener(watched)
        defer { listener.stop() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, entry) in known.enumerated() {
                group.addTask {
                    var client = entry.client
                    client.generation += 1
                    _ = try await handles[index % handles.count].write(client, expecting: entry.revision)
                }
            }
            try await group.waitForAll()
        }
        for entry in known { try await listener.hears(entry.client.name, moreThan: 0, "one of many changes") }
    }

    @Sendable private static func changesAfterDeath(_ fixture: any VaultFixture) async throws {
        let watched: any WatchableVault = try demand(.changes, fixture)
        let mortal: any MortalFixture = try demand(.server, fixture)
        var client = SampleRecords.client("watched")
        var revision = try await fixture.vault.write(client, expecting: nil)
        let listener = ChangeListener(watched)
        defer { listener.stop() }
        client.generation += 1
        revision = try await fixture.vault.write(client, expecting: revision)
        try await listener.hears(client.name, moreThan: 0, "a change before")
        try await mortal.killServer()
        try await mortal.reviveServer()
        let before = listener.count(client.name)
        client.generation += 1
        _ = try await fixture.secondHandle().write(client, expecting: revision)
        try await listener.hears(client.name, moreThan: before, "a change after the server was dead")
    }
}

/// Counts what a vault tells of changes, from the moment it is made.
private final class ChangeListener: Sendable {
    private struct State {
        var heard: [ClientName: Int] = [:]
        var end: String?
    }

    private let state = Mutex(State())
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(_ vault: any WatchableVault) {
        let changes = vault.changes()
        let listening = Task { [weak self] in
            do {
                for try await name in changes { self?.state.withLock { $0.heard[name, default: 0] += 1 } }
                self?.state.withLock { $0.end = "it ended" }
            } catch {
                self?.state.withLock { $0.end = String(describing: error) }
            }
        }
        task.withLock { $0 = listening }
    }

    deinit { stop() }

    func count(_ name: ClientName) -> Int { state.withLock { $0.heard[name, default: 0] } }

    func stop() { task.withLock { $0?.cancel() } }

    /// Returns when a name was heard of more often than so; what is not heard of in time is a broken promise.
    func hears(_ name: ClientName, moreThan count: Int, _ what: String) async throws {
        let deadline = ContinuousClock.now + .seconds(15)
        while self.count(name) <= count {
            if let end = state.withLock({ $0.end }) { throw ConformanceFailure("\(what) was not heard of: \(end)") }
            guard ContinuousClock.now < deadline else { throw ConformanceFailure("\(what) was not heard of") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

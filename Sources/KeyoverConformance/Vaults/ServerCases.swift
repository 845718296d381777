import KeyoverCore

extension VaultSuite {
    static let serverCases: [Promise] = [
        ("while the server is dead every call says so in time, and afterwards all is there", deadServer),
        ("a server killed in the middle of writes loses nothing that was said to be stored", killedServer),
        ("while the server stands still every call says so in time, and afterwards all is there", frozenServer),
    ]

    private static let patience = TimeSpan.seconds(2)
    /// On a busy machine a call that gives up in time may be seen to do so a little later.
    private static let bound = Duration.seconds(5)

    @Sendable private static func deadServer(_ fixture: any VaultFixture) async throws {
        let mortal: any MortalFixture = try demand(.server, fixture)
        let (hasty, client) = (try await mortal.handle(patience: patience), SampleRecords.clientInRotation("kept"))
        let revision = try await hasty.write(client, expecting: nil)
        try await mortal.killServer()
        try await refuses(hasty, client, revision, "a dead server")
        try await unavailable("opening a vault on a dead server") { _ = try await mortal.handle(patience: patience) }
        try await mortal.reviveServer()
        try await works(fixture, client, [revision])
    }

    @Sendable private static func frozenServer(_ fixture: any VaultFixture) async throws {
        let mortal: any MortalFixture = try demand(.server, fixture)
        let (hasty, client) = (try await mortal.handle(patience: patience), SampleRecords.clientInRotation("kept"))
        let revision = try await hasty.write(client, expecting: nil)
        try await mortal.freezeServer()
        do {
            try await refuses(hasty, client, revision, "a server that stands still")
            try await unavailable("opening a vault on a server that stands still") {
                _ = try await mortal.handle(patience: patience)
            }
        } catch {
            try await mortal.thawServer()
            throw error
        }
        try await mortal.thawServer()
        // What was sent to the server while it stood still, it may have carried out since.
        try await works(fixture, client, nil)
    }

    @Sendable private static func killedServer(_ fixture: any VaultFixture) async throws {
        let mortal: any MortalFixture = try demand(.server, fixture)
        let (hasty, name) = (try await mortal.handle(patience: patience), SampleRecords.name("counter") as ClientName)
        _ = try await fixture.vault.write(SampleRecords.client("counter"), expecting: nil)
        for round in 1...2 {
            let before = try await fixture.secondHandle().existing(name).record.generation
            let told = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    var current = try await hasty.existing(name)
                    while true {
                        current.record.generation += 1
                        do throws(VaultError) {
                            let revision = try await hasty.write(current.record, expecting: current.revision)
                            current = Versioned(current.record, revision)
                        } catch {
                            guard error.code == .unavailable else { throw error }
                            return
                        }
                        _ = told.next()
                    }
                }
                try await soon("increments", within: .seconds(30)) { told.current >= 10 * round }
                try await mortal.killServer()
                try await group.waitForAll()
            }
            try await mortal.reviveServer()
            let (after, count) = (try await fixture.secondHandle().existing(name).record, UInt64(told.current))
            try expect(after.generation >= before + count, "\(before + count - after.generation) increments are lost")
            try expect(after.generation <= before + count + 1, "more was stored than was sent")
        }
        let findings = try await fixture.findings()
        try expect(findings.isEmpty, "found wrong: \(findings)")
    }

    /// Holds that every call fails in time, and with the right word.
    private static func refuses(
        _ vault: any Vault, _ client: ClientRecord, _ revision: Revision, _ what: String
    ) async throws {
        try await unavailable("reading from \(what)") { _ = try await vault.read(client.name) }
        try await unavailable("listing \(what)") { _ = try await vault.summaries(ClientRecord.self) }
        try await unavailable("reporting to \(what)") {
            try await vault.acknowledge(SampleRecords.report("web-1", generation: 1), of: client.name)
        }
        var changed = client
        changed.generation += 1
        let next = changed
        try await unavailable("writing to \(what)") { _ = try await vault.write(next, expecting: revision) }
    }

    /// Holds that handles from before and new ones find the record, and can change it.
    private static func works(
        _ fixture: any VaultFixture, _ client: ClientRecord, _ revisions: [Revision]?
    ) async throws {
        let found = try await fixture.vault.existing(client.name)
        try expect(revisions?.contains(found.revision) ?? true, "the record is not the one that was stored")
        var either = found.record
        either.generation = client.generation
        try expect(either == client, "the record came back changed")
        let fresh = try await fixture.secondHandle()
        var next = found.record
        next.generation += 1
        _ = try await fresh.write(next, expecting: found.revision)
        let seen = try await fixture.vault.existing(client.name).record
        try expect(seen == next, "a handle from before does not see the change")
        let findings = try await fixture.findings()
        try expect(findings.isEmpty, "found wrong: \(findings)")
    }

    private static func unavailable(_ what: String, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await bounded(bound, what) { try await expectFailure(.unavailable, what, body) }
    }
}

/// Runs the body, which has to end in time; one that does not is left behind.
func bounded(_ limit: Duration, _ what: String, _ body: @escaping @Sendable () async throws -> Void) async throws {
    let (outcomes, continuation) = AsyncStream<Result<Void, any Error>>.makeStream()
    let work = Task {
        do {
            continuation.yield(.success(try await body()))
        } catch {
            continuation.yield(.failure(error))
        }
    }
    let timer = Task {
        try await Task.sleep(for: limit)
        continuation.yield(.failure(ConformanceFailure("\(what) has not ended after \(limit)")))
    }
    defer {
        work.cancel()
        timer.cancel()
    }
    for await outcome in outcomes { return try outcome.get() }
}

/// Returns once the condition holds; what does not come about in time is a broken promise.
func soon(_ what: String, within limit: Duration, _ condition: @Sendable () -> Bool) async throws {
    let deadline = ContinuousClock.now + limit
    while !condition() {
        guard ContinuousClock.now < deadline else { throw ConformanceFailure("\(what) did not come about") }
        try await Task.sleep(for: .milliseconds(1))
    }
}

import KeyoverCore

extension VaultSuite {
    static let processCases: [Promise] = [
        ("of 2,000 increments by 8 processes none is lost (a keyring: 320)", processes),
        ("a writer killed at any moment loses nothing that it was told is stored", killedWriters),
    ]

    @Sendable private static func processes(_ fixture: any VaultFixture) async throws {
        let working: any WorkerFixture = try demand(.processes, fixture)
        let name: ClientName = SampleRecords.name("counter")
        _ = try await fixture.vault.write(SampleRecords.client("counter"), expecting: nil)
        var workers: [any VaultWorker] = []
        do {
            for _ in 0..<8 { workers.append(try await working.startWorker(on: name, times: working.incrementsEach)) }
            for worker in workers { try await worker.finish() }
        } catch {
            for worker in workers { await worker.kill() }
            throw error
        }
        let told = workers.reduce(0) { $0 + $1.acknowledged }
        let wanted = 8 * working.incrementsEach
        try expect(told == wanted, "the workers were told of \(told) increments instead of \(wanted)")
        let found = try await fixture.vault.existing(name).record
        try expect(found.generation == wanted + 1, "the counter stands at \(found.generation) after \(wanted)")
        let findings = try await fixture.findings()
        try expect(findings.isEmpty, "found wrong: \(findings)")
    }

    @Sendable private static func killedWriters(_ fixture: any VaultFixture) async throws {
        let working: any WorkerFixture = try demand(.processes, fixture)
        let name: ClientName = SampleRecords.name("victim")
        _ = try await fixture.vault.write(SampleRecords.client("victim"), expecting: nil)
        for kills in [1, 3, 8, 20] {
            let before = try await fixture.vault.existing(name).record.generation
            let worker = try await working.startWorker(on: name, times: 100_000)
            try await soon("a worker's first increments", within: .seconds(30)) { worker.acknowledged >= kills }
            try await Task.sleep(for: .microseconds(Int.random(in: 0...8000)))
            await worker.kill()
            let told = UInt64(worker.acknowledged)
            // A request may still be on its way to a server; what is there at last is what counts.
            var found = try await fixture.secondHandle().existing(name)
            found.record.primary.clientID = "after \(kills)"
            while true {
                do {
                    _ = try await fixture.vault.write(found.record, expecting: found.revision)
                    break
                } catch {
                    guard error.code == .conflict else { throw error }
                    found = try await fixture.vault.existing(name)
                    found.record.primary.clientID = "after \(kills)"
                }
            }
            let after = try await fixture.secondHandle().existing(name).record
            try expect(after.generation >= before + told, "\(before + told - after.generation) increments are lost")
            try expect(after.generation <= before + told + 1, "more was stored than the worker can have sent")
            try expect(after.primary.clientID == "after \(kills)", "the record is not the one that was written last")
            let findings = try await fixture.findings()
            try expect(findings.isEmpty, "found wrong: \(findings)")
        }
    }
}

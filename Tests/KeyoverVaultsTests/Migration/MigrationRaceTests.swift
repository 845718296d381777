import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing

/// Others go on working in the vault while it is moved under them.
@Suite struct MigrationRaceTests {
    /// Each writer counts in records of the source until it meets the mark, and then in the destination.
    @Test(arguments: BenchPlace.allCases, BenchPlace.allCases)
    func noChangeIsLost(from: BenchPlace, to: BenchPlace) async throws {
        let bench = try await MigrationBench(from, to)
        let counted = Shared<[ClientName: UInt64]>([:])
        let hasMoved = Shared(false)
        let begun = try await start(bench)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in MigrationBench.names {
                group.addTask {
                    while !hasMoved.now {
                        if try await Self.increment(name, in: bench.source) {
                            counted.change { $0[name, default: 0] += 1 }
                        }
                        // Whoever spins here takes the threads that the migration needs.
                        try await Task.sleep(for: .milliseconds(.random(in: 20...200)))
                    }
                }
            }
            group.addTask {
                defer { hasMoved.change { $0 = true } }
                var migration = try await bench.migration()
                try await migration.copy()
                try await migration.verify(through: bench.destination())
                try await migration.move(MigrationBench.relocation, patience: .seconds(30))
            }
            try await group.waitForAll()
        }
        let destination = try await bench.destination()
        for name in MigrationBench.names {
            let increments = counted.now[name] ?? 0
            #expect(increments > 0, "somebody was at work")
            #expect(try await destination.read(name)?.record.generation == begun + increments, "\(name)")
        }
        try await bench.expectAllThere()
    }

    private func start(_ bench: MigrationBench) async throws -> UInt64 {
        try #require(try await bench.source.read(MigrationBench.names[0])).record.generation
    }

    /// Whether the increment was stored.
    private static func increment(_ name: ClientName, in vault: any Vault) async throws -> Bool {
        guard var found = try await vault.read(name), found.record.moved == nil else { return false }
        found.record.generation += 1
        do {
            _ = try await vault.write(found.record, expecting: found.revision)
            return true
        } catch {
            guard error.code == .conflict || error.code == .unavailable else { throw error }
            return false
        }
    }

    /// As `get --as`: a report is good once the client is still here after it.
    @Test(arguments: BenchPlace.allCases)
    func noReportIsLost(from: BenchPlace) async throws {
        let bench = try await MigrationBench(from, .memory)
        let name = MigrationBench.names[0]
        let reported = Shared<[ConsumerName]>([])
        let hasMoved = Shared(false)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var number = 0
                while !hasMoved.now {
                    number += 1
                    let report = MigrationBench.report("job-\(number)", 3)
                    try await bench.source.acknowledge(report, of: name)
                    guard try await bench.source.read(name)?.record.moved == nil else { return }
                    reported.change { $0.append(report.consumer) }
                    try await Task.sleep(for: .milliseconds(.random(in: 20...200)))
                }
            }
            group.addTask {
                defer { hasMoved.change { $0 = true } }
                var migration = try await bench.migration()
                try await migration.copy()
                try await migration.move(MigrationBench.relocation, patience: .seconds(30))
            }
            try await group.waitForAll()
        }
        let known = Set(try await bench.destination().ledger(of: name).map(\.consumer))
        let consumers = reported.now
        #expect(!consumers.isEmpty)
        #expect(consumers.allSatisfy(known.contains))
    }

    @Test(arguments: BenchPlace.allCases)
    func whatIsAddedMeanwhileComesAlong(from: BenchPlace) async throws {
        let bench = try await MigrationBench(from, .memory)
        let added = Shared<[ClientName]>([])
        // One more whenever one is about to move.
        var migration = try await bench.migration(goesOn: { progress in
            guard progress.step == .moving, progress.kind == ClientRecord.kind else { return true }
            added.change { names in
                if names.count < 5, let name = ClientName("late-\(names.count + 1)") { names.append(name) }
            }
            return true
        })
        let late = Task {
            var written = 0
            while written < 5, !Task.isCancelled {
                let wanted = added.now
                for name in wanted.dropFirst(written) {
                    _ = try await bench.source.write(
                        MigrationBench.client(name, UInt64(500 + written)), expecting: nil)
                    written += 1
                }
                try await Task.sleep(for: .milliseconds(1))
            }
        }
        try await migration.copy()
        try await migration.move(MigrationBench.relocation, patience: .zero)
        late.cancel()
        _ = await late.result
        // Whoever came after the last look is found by the same call again.
        try await migration.move(MigrationBench.relocation, patience: .zero)
        let destination = try await bench.destination()
        for summary in try await bench.source.summaries(ClientRecord.self) {
            #expect(summary.record.moved != nil)
            #expect(try await destination.read(summary.record.name) != nil)
        }
    }
}

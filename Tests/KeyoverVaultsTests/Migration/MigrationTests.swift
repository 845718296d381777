import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing

/// One vault into another: nothing lost, nothing changed before its time, and gone on with wherever it stopped.
@Suite struct MigrationTests {
    private static let routes: [(BenchPlace, BenchPlace)] = BenchPlace.allCases.flatMap { from in
        BenchPlace.allCases.map { (from, $0) }
    }

    @Test(arguments: routes)
    func everythingIsThereAfterwards(from: BenchPlace, to: BenchPlace) async throws {
        let bench = try await MigrationBench(from, to)
        var migration = try await bench.migration()
        try await migration.copy()
        #expect(migration.written == MigrationBench.names.count + 2)
        try await migration.verify(through: bench.destination())
        try await bench.expectAllThere()
        #expect(try await migration.countMoved() == 0, "nothing has changed for anybody")

        var again = try await bench.migration()
        try await again.copy()
        #expect(again.written == 0, "only what differs is written")
        try await again.move(MigrationBench.relocation, patience: .zero)
        #expect(again.written == 0)
        #expect(try await again.countMoved() == MigrationBench.names.count + 1)
        try await bench.expectAllThere()
        for name in MigrationBench.names {
            let old = try #require(try await bench.source.read(name)?.record)
            #expect(old.moved == MigrationBench.relocation)
            #expect(old.primary.value != nil, "the old vault keeps all that it had")
            #expect(throws: RotationError.self) { try SecretOutput(old) }
        }
        let destination = try await bench.destination()
        for purpose in KeyPurpose.allCases {
            #expect(try await destination.derivedKey(for: purpose) == bench.source.derivedKey(for: purpose))
        }
        #expect(destination.keyring.epoch == bench.source.keyring.epoch + 1)
        #expect(destination.keyring.commitment != bench.source.keyring.commitment)
    }

    @Test(arguments: routes)
    func whatChangedInTheSourceChangesInTheCopy(from: BenchPlace, to: BenchPlace) async throws {
        let bench = try await MigrationBench(from, to)
        var first = try await bench.migration()
        try await first.copy()
        let names = MigrationBench.names
        // Edited, removed, removed and added again, added; a consumer forgotten, one that went back, a new one.
        var edited = try #require(try await bench.source.read(names[0]))
        edited.record.registration.owner = "somebody else"
        _ = try await bench.source.write(edited.record, expecting: edited.revision)
        for name in [names[1], names[2]] {
            let found = try #require(try await bench.source.read(name))
            try await bench.source.delete(name, expecting: found.revision)
        }
        _ = try await bench.source.write(MigrationBench.client(names[2], 900), expecting: nil)
        let added = try #require(ClientName("added"))
        _ = try await bench.source.write(MigrationBench.client(added, 901), expecting: nil)
        try await bench.source.forget(try #require(ConsumerName("web-1")), of: names[3])
        try await bench.source.forget(try #require(ConsumerName("web-2")), of: names[3])
        try await bench.source.acknowledge(MigrationBench.report("web-2", 0), of: names[3])
        try await bench.source.acknowledge(MigrationBench.report("web-3", 5), of: names[3])

        var second = try await bench.migration()
        try await second.copy()
        #expect(second.written == 3)
        let destination = try await bench.destination()
        try await second.verify(through: destination)
        let here = try await bench.source.summaries(ClientRecord.self).map(\.record.name)
        #expect(try await destination.summaries(ClientRecord.self).map(\.record.name) == here)
        for name in here {
            #expect(try await destination.read(name)?.record == bench.source.read(name)?.record)
            #expect(try await destination.ledger(of: name) == bench.source.ledger(of: name))
        }
    }

    /// As a process that is killed: at each step once, and then all of it again.
    @Test(arguments: routes)
    func stoppedAtAnyStepItGoesOn(from: BenchPlace, to: BenchPlace) async throws {
        let bench = try await MigrationBench(from, to)
        var steps = 1
        while true {
            let left = Shared(steps)
            var migration = try await bench.migration(goesOn: { _ in
                left.change { left in
                    left -= 1
                    return left >= 0
                }
            })
            do {
                try await migration.copy()
                try await migration.verify(through: bench.destination())
                try await migration.move(MigrationBench.relocation, patience: .zero)
                break
            } catch {
                #expect((error as? VaultError)?.code == .interrupted)
            }
            // At every instant each client can be had from exactly one of the two.
            for name in MigrationBench.names {
                let old = try #require(try await bench.source.read(name)?.record)
                guard old.moved != nil else { continue }
                let new = try #require(try await bench.destination().read(name)?.record)
                #expect(new.moved == nil && new.primary.value == old.primary.value)
            }
            steps += 1
            try #require(steps < 200)
        }
        #expect(steps > 2 * MigrationBench.names.count)
        try await bench.expectAllThere()
    }

    @Test func whoHasOnlyMetadataCannotBegin() async throws {
        let vault = try await TestVault()
        let auditor = try #require(try await vault.metadataHandle() as? any MigratableVault)
        let error = await failure { _ = try auditor.succession(reach: VaultReach()) }
        #expect(error?.code == .noValueAccess)
    }

    @Test func aClientThatIsBeingRotatedIsWaitedForAndThenReported() async throws {
        let bench = try await MigrationBench(.memory, .memory)
        let busy = MigrationBench.names[3]
        var patient = try await bench.migration(isHeld: { $0.name == busy })
        let error = await failure { try await patient.move(MigrationBench.relocation, patience: .milliseconds(200)) }
        #expect(error?.code == .conflict && error?.message.contains(busy.description) == true)
        #expect(try await patient.countMoved() == 0, "nothing has moved while somebody is at work")

        let looks = Shared(0)
        var lucky = try await bench.migration(isHeld: { record in
            record.name == busy
                && looks.change { looks in
                    looks += 1
                    return looks < 3
                }
        })
        try await lucky.move(MigrationBench.relocation, patience: .seconds(30))
        try await bench.expectAllThere()
    }

    @Test func aCopyThatReadsOtherwiseIsNotMovedTo() async throws {
        let bench = try await MigrationBench(.memory, .folder)
        var migration = try await bench.migration()
        try await migration.copy()
        let destination = try await bench.destination()
        var found = try #require(try await destination.read(MigrationBench.names[2]))
        found.record.primary.value = SecretValue(copying: "another".utf8)
        _ = try await destination.write(found.record, expecting: found.revision)
        let error = await failure { try await migration.verify(through: destination) }
        #expect(error?.code == .corrupt && error?.message.contains("client-3") == true)
        let stranger = MigrationBench.client(try #require(ClientName("stranger")), 77)
        _ = try await destination.write(stranger, expecting: nil)
        var again = try await bench.migration()
        try await again.copy()
        try await again.verify(through: destination)
        #expect(try await destination.read(stranger.name) == nil)
    }
}

import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import Testing

@testable import KeyoverVaults

/// What a store's owner, or whoever got at it, can do to the entries of a vault.
@Suite struct EntryTamperingTests {
    @Test func everyFlippedByteAndEveryLengthIsRefused() async throws {
        let bench = try await EntryBench()
        let vault = try await bench.open()
        let bytes = try await bench.stored(bench.one.name).bytes
        let place = try await bench.place(bench.one.name)
        for index in bytes.indices {
            var flipped = bytes
            flipped[index] ^= 1
            try await bench.plant(flipped, at: place)
            let error = await failure { _ = try await vault.read(bench.one.name) }
            #expect(error?.code == .notTrusted || error?.code == .newerFormat, "byte \(index)")
        }
        for length in 0..<bytes.count {
            try await bench.plant(Array(bytes.prefix(length)), at: place)
            let error = await failure { _ = try await vault.read(bench.one.name) }
            #expect(error?.code == .notTrusted, "length \(length)")
        }
        try await bench.plant(bytes, at: bench.one.name)
        #expect(try await vault.read(bench.one.name)?.record == bench.one)
    }

    @Test func anOlderEntryIsRefusedByEveryHostThatSawTheNewerOne() async throws {
        let bench = try await EntryBench()
        let vault = try await bench.open()
        let old = try await bench.stored(bench.two.name).bytes
        var next = bench.two
        next.generation += 1
        let revision = try await vault.read(bench.two.name)?.revision
        _ = try await vault.write(next, expecting: revision)
        _ = try await bench.open(host: "second").read(bench.two.name)
        try await bench.plant(old, at: bench.two.name)
        for host in ["first", "second"] {
            let again = try await bench.open(host: host)
            let error = await failure { _ = try await again.read(bench.two.name) }
            #expect(error?.code == .notTrusted)
            #expect(error?.remedy?.contains("keyover vault restore --accept-older") == true)
            #expect(await failure { _ = try await again.summaries(ClientRecord.self) }?.code == .notTrusted)
            #expect(await failure { _ = try await again.write(next, expecting: revision) }?.code == .notTrusted)
            #expect(try await again.verify().findings.count == 1)
        }
        let stranger = try await bench.open(host: "third").read(bench.two.name)
        #expect(stranger?.record.generation == bench.two.generation, "who never saw the newer one cannot know")
        let accepting = try await bench.open(acceptsOlder: true).read(bench.two.name)
        #expect(accepting?.record.generation == bench.two.generation)
    }

    @Test func aRecordThatVanishedIsMissed() async throws {
        let bench = try await EntryBench()
        try await bench.steal(bench.one.name)
        let vault = try await bench.open()
        #expect(await failure { _ = try await vault.read(bench.one.name) }?.code == .notTrusted)
        #expect(await failure { _ = try await vault.write(bench.one, expecting: nil) }?.code == .notTrusted)
        #expect(await failure { _ = try await vault.summaries(ClientRecord.self) }?.code == .notTrusted)
        #expect(try await vault.verify().findings.map(\.message) == ["1 records are missing that this host has seen"])
    }

    @Test func aRemovedRecordDoesNotComeBack() async throws {
        let bench = try await EntryBench()
        let vault = try await bench.open()
        let old = try await bench.stored(bench.one.name).bytes
        let revision = try #require(await vault.read(bench.one.name)?.revision)
        try await vault.delete(bench.one.name, expecting: revision)
        #expect(try await vault.read(bench.one.name) == nil)
        try await bench.plant(old, at: bench.one.name)
        let again = try await bench.open()
        #expect(await failure { _ = try await again.read(bench.one.name) }?.code == .notTrusted)
        // Nor may its trace be taken away, which would let the numbers begin anew.
        try await bench.steal(bench.one.name)
        #expect(await failure { _ = try await again.write(bench.one, expecting: nil) }?.code == .notTrusted)
    }

    @Test func entriesAreGoodForTheirOwnPlaceOnly() async throws {
        let bench = try await EntryBench()
        let (one, two) = (try await bench.stored(bench.one.name).bytes, try await bench.stored(bench.two.name).bytes)
        try await bench.plant(two, at: bench.one.name)
        let stranger = try await bench.open(host: "stranger")
        #expect(await failure { _ = try await stranger.read(bench.one.name) }?.code == .notTrusted)
        #expect(await failure { _ = try await stranger.summaries(ClientRecord.self) }?.code == .notTrusted)
        try await bench.plant(one, at: bench.two.name)
        #expect(await failure { _ = try await stranger.read(bench.two.name) }?.code == .notTrusted)
    }

    @Test func aKeyFileForTheSamePeopleWithOtherKeysIsRefused() async throws {
        let bench = try await EntryBench()
        let forger = MemoryStore()
        _ = try await EntryVault.create(in: forger, VaultCreation(for: [bench.identity.recipient]))
        let forged = try #require(await forger.entry(.keys))
        let present = try #require(await bench.store.entry(.keys))
        try await bench.store.put(Entry(.keys, forged.bytes), expecting: present.version, while: nil)
        #expect(await failure { _ = try await bench.open() }?.code == .notTrusted)
    }

    @Test func aKeyFileThatIsNoneIsRefused() async throws {
        let bench = try await EntryBench()
        for bytes in [[], Array("age-encryption.org/v1\n".utf8), [UInt8](repeating: 0, count: 2 << 20)] {
            let present = try #require(await bench.store.entry(.keys))
            try await bench.store.put(Entry(.keys, bytes), expecting: present.version, while: nil)
            let error = await failure { _ = try await bench.open() }
            #expect(error?.code == .notTrusted, "\(bytes.count) bytes: \(String(describing: error))")
        }
        let present = try #require(await bench.store.entry(.keys))
        try await bench.store.remove(.keys, expecting: present.version)
        #expect(await failure { _ = try await bench.open() }?.code == .missing)
    }

    @Test func everyChangeIsAnotherState() async throws {
        let bench = try await EntryBench()
        let vault = try await bench.open()
        var marks = [try await vault.status().mark]
        func note() async throws {
            let status = try await vault.status()
            #expect(status.mark == status.highWaterMark)
            marks.append(status.mark)
        }
        var revision = try #require(await vault.read(bench.two.name)?.revision)
        for _ in 1...3 {
            revision = try await vault.write(bench.two, expecting: revision)
            try await note()
        }
        try await vault.delete(bench.two.name, expecting: revision)
        try await note()
        _ = try await vault.write(bench.two, expecting: nil)
        try await note()
        #expect(marks == marks.sorted() && Set(marks).count == marks.count)
    }

    @Test func aReportOfAnotherClientOrAnOlderEpochOfItIsNotTakenOver() async throws {
        let bench = try await EntryBench()
        let vault = try await bench.open()
        let group = vault.reports.group(of: bench.one.id)
        let other = vault.reports.group(of: SampleRecords.id(77))
        let stored = try #require(await bench.store.entries(.reports(group)).first)
        #expect(await failure { _ = try vault.reports.open(stored.bytes, in: other) }?.code == .notTrusted)
        for index in stored.bytes.indices {
            var flipped = stored.bytes
            flipped[index] ^= 0x10
            #expect(await failure { _ = try vault.reports.open(flipped, in: group) }?.code == .notTrusted)
        }
    }
}

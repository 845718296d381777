import Foundation
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import Testing
import VaultServers

@testable import KeyoverVaults

/// What a vault in a keyring promises beyond what every vault does.
@Suite struct LibsecretStoreTests {
    @Test func aDaemonThatDiesInAWriteLeavesTheOldOrTheNew() async throws {
        try await withKeyring { server in
            let bench = try await KeyringBench()
            try await bench.put([0])
            var generator = SplitMix(seed: 4)
            var (failures, present) = (0, [UInt8(0)])
            for round in 1...16 {
                let next = [UInt8](repeating: UInt8(round), count: 3000)
                async let writing = outcome { try await bench.put(next) }
                try await Task.sleep(for: .microseconds(Int(generator.next() % 16_000)))
                try await server.kill()
                let error = await writing
                try await server.revive()
                let found = try #require(try await bench.bytes())
                if let error {
                    failures += 1
                    #expect(error.code == .unavailable, "\(error)")
                    #expect(found == next || found == present)
                } else {
                    #expect(found == next)
                }
                present = found
            }
            #expect(failures > 0, "no write was hit")
        }
    }

    @Test func severalAtOnceChangeOneAfterTheOther() async throws {
        try await withKeyring { _ in
            let bench = try await KeyringBench()
            try await bench.put([0])
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 {
                    group.addTask { for _ in 0..<10 { try await increment(bench) } }
                }
                try await group.waitForAll()
            }
            #expect(try await bench.bytes() == [40])
        }
    }

    @Test func aKeyringIsChosenByItsAliasOrItsLabel() async throws {
        try await withKeyring { server in
            try await server.kill()
            let lines = ["[keyring]", "display-name=The shop's keys", "lock-on-idle=false", "lock-after=false", ""]
            let shop = lines.joined(separator: "\n")
            try writePrivately(Data(shop.utf8), to: server.folder + "/data/keyrings/shop.keyring")
            try await server.revive()
            // A keyring without a password is unlocked without a question, but unlocked it has to be.
            let unlocking = [
                "--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets",
                "org.freedesktop.Secret.Service.Unlock", "array:objpath:/org/freedesktop/secrets/collection/shop",
            ]
            #expect(try server.run("/usr/bin/dbus-send", unlocking) != nil)
            let standard = try await KeyringBench("/bench")
            let login = try await KeyringBench("login/bench")
            let session = try await KeyringBench("session/bench")
            let labelled = try await KeyringBench("The shop's keys/bench")
            try await standard.put([1])
            #expect(try await login.bytes() == [1], "the default keyring is that of the sign-in")
            #expect(try await session.bytes() == nil)
            try await session.put([2])
            try await labelled.put([3])
            #expect(try await standard.bytes() == [1])
            #expect(try await session.bytes() == [2])
            #expect(try await labelled.bytes() == [3])
            let other = try await KeyringBench("/other")
            #expect(try await other.bytes() == nil, "vaults of one keyring do not see each other")
        }
    }

    @Test func anItemThatIsThereTwiceIsRefused() async throws {
        try await withKeyring { server in
            let bench = try await KeyringBench()
            try await bench.put([1])
            let hash = Hex.encode(KeyringBench.place.lookup)
            let attributes = [
                "application", "keyover", "vault", "bench", "group", "records", "place", hash, "other", "one",
            ]
            #expect(try server.run("/usr/bin/secret-tool", ["store", "--label=x"] + attributes, input: "AQ==") != nil)
            let error = await failure { _ = try await bench.bytes() }
            #expect(error?.code == .notTrusted)
            #expect(error?.remedy?.contains("secret-tool search") == true)
            #expect(await failure { try await bench.put([2]) }?.code == .notTrusted)
        }
    }

    @Test(arguments: ["no base64!", "AQ==\n\u{1}", "A", "AQ==AQ=="])
    func anItemThatKeyoverDidNotWriteIsRefused(content: String) async throws {
        try await withKeyring { server in
            let bench = try await KeyringBench()
            let hash = Hex.encode(KeyringBench.place.lookup)
            let attributes = ["application", "keyover", "vault", "bench", "group", "records", "place", hash]
            #expect(try server.run("/usr/bin/secret-tool", ["store", "--label=x"] + attributes, input: content) != nil)
            #expect(await failure { _ = try await bench.bytes() }?.code == .notTrusted)
            #expect(await failure { _ = try await bench.store.entries(.records) }?.code == .notTrusted)
        }
    }

    @Test func whatIsTooLargeForAKeyringIsRefusedAndWhatIsLargeIsKept() async throws {
        try await withKeyring { _ in
            let bench = try await KeyringBench()
            let large = [UInt8](repeating: 9, count: 5 << 20)
            try await bench.put(large)
            #expect(try await bench.bytes() == large)
            let error = await failure { try await bench.put([UInt8](repeating: 9, count: 7 << 20)) }
            #expect(error?.code == .tooLarge)
            #expect(error?.remedy?.contains("--identity libsecret") == true)
            #expect(try await bench.bytes() == large)
        }
    }

    @Test func theVersionOfTheKeysIsHeldTo() async throws {
        try await withKeyring { _ in
            let bench = try await KeyringBench()
            try await bench.store.put(Entry(.keys, [1]), expecting: nil, while: nil)
            let old = try #require(try await bench.store.entry(.keys)).version
            try await bench.store.put(Entry(.keys, [2]), expecting: old, while: nil)
            let error = await failure {
                try await bench.store.put(Entry(bench.name, [1]), expecting: nil, while: old)
            }
            #expect(error?.code == .rekeyed)
            #expect(try await bench.bytes() == nil)
        }
    }

    private func increment(_ bench: KeyringBench) async throws {
        while true {
            let present = try #require(try await bench.store.entry(bench.name))
            do throws(VaultError) {
                let next = Entry(bench.name, [present.bytes[0] + 1])
                return try await bench.store.put(next, expecting: present.version, while: nil)
            } catch {
                guard error.code == .conflict else { throw error }
            }
        }
    }

    private func outcome(_ body: () async throws -> Void) async -> VaultError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? VaultError ?? VaultError(.corrupt, "\(error)")
        }
    }
}

/// Numbers that are the same in each run.
private struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

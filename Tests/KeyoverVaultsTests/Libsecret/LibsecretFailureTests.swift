import Foundation
import KeyoverCore
import KeyoverSealing
import Testing
import VaultServers

@testable import KeyoverVaults

/// What can be wrong with a keyring, each told apart from the rest, and none of it waited for.
@Suite struct LibsecretFailureTests {
    private let bound = Duration.seconds(3)

    @Test func aLockedKeyringIsSaidToBeLocked() async throws {
        try await withKeyring(.locked) { _ in
            let bench = try await KeyringBench()
            for body in try calls(bench) {
                let (error, time) = await timedFailure(body)
                #expect(error?.code == .locked)
                #expect(error?.remedy?.contains("gnome-keyring-daemon --unlock") == true)
                #expect(time < bound)
            }
        }
    }

    @Test func aBusWithoutASecretServiceIsToldFromOneWithALockedKeyring() async throws {
        try await withKeyring(.absent) { _ in
            let bench = try await KeyringBench()
            for body in try calls(bench) {
                let (error, time) = await timedFailure(body)
                #expect(error?.code == .unavailable)
                #expect(error?.message.contains("no Secret Service") == true, "\(String(describing: error))")
                #expect(error?.remedy?.contains("gnome-keyring-daemon --start") == true)
                #expect(time < bound)
            }
        }
    }

    @Test func aServiceThatSaysNothingIsGivenUp() async throws {
        try await withKeyring { server in
            let bench = try await KeyringBench()
            try await bench.put([1])
            try await server.freeze()
            for body in try calls(bench) {
                let (error, time) = await timedFailure(body)
                #expect(error?.code == .unavailable)
                #expect(error?.message.contains("does not answer") == true, "\(String(describing: error))")
                #expect(error?.remedy?.contains("systemctl --user status gnome-keyring-daemon") == true)
                #expect(time < bound)
            }
            try await server.thaw()
            #expect(try await bench.bytes() == [1])
        }
    }

    @Test func aBusThatSaysNothingIsGivenUp() async throws {
        try await withKeyring { server in
            let bench = try await KeyringBench()
            try await server.freezeBus()
            for body in try calls(bench) {
                let (error, time) = await timedFailure(body)
                #expect(error?.code == .unavailable)
                #expect(error?.message.contains("does not answer") == true, "\(String(describing: error))")
                #expect(time < bound)
            }
            try await server.thawBus()
        }
    }

    @Test func aBusThatIsGoneIsSaidToBeGoneAndEndsNobody() async throws {
        try await withKeyring { server in
            let bench = try await KeyringBench()
            try await bench.put([1])
            try await server.killBus()
            for body in try calls(bench) {
                let (error, time) = await timedFailure(body)
                #expect(error?.code == .unavailable)
                #expect(error?.message.contains("session bus") == true, "\(String(describing: error))")
                #expect(time < bound)
            }
        }
    }

    @Test(arguments: ["nothing-like-it", "..login", "log in\u{7F}", "登录"])
    func aKeyringThatIsNotThereIsNamed(name: String) async throws {
        try await withKeyring { _ in
            let bench = try await KeyringBench("\(name)/bench")
            for body in try calls(bench) {
                let (error, _) = await timedFailure(body)
                #expect(error?.code == .missing)
                #expect(error?.message.contains(name) == true)
            }
        }
    }

    @Test(arguments: ["/", "/a b", "/a/b", "login/", "/..\u{0}", "/" + String(repeating: "n", count: 65), "/ü"])
    func aNameThatIsNoneOfAVaultIsRefused(location: String) async {
        let error = await failure { _ = try await KeyringBench(location) }
        #expect(error?.code == .invalid)
        #expect(error?.remedy?.contains("libsecret:/NAME") == true)
    }

    @Test func aDiskThatIsFullLeavesTheOldState() async throws {
        try await withKeyring { server in
            let bench = try await KeyringBench()
            try await bench.put([1])
            try server.limitFiles(to: 1024)
            let (error, time) = await timedFailure { try await bench.put([UInt8](repeating: 2, count: 4096)) }
            #expect(error?.code == .unavailable)
            #expect(error?.remedy?.contains("disk") == true, "\(String(describing: error))")
            #expect(time < bound)
            #expect(try await bench.bytes() == [1])
            try server.limitFiles(to: nil)
            try await server.kill()
            try await server.revive()
            #expect(try await bench.bytes() == [1])
            try await bench.put([3])
            #expect(try await bench.bytes() == [3])
        }
    }

    /// Each way of using a store.
    private func calls(_ bench: KeyringBench) throws -> [() async throws -> Void] {
        [
            { _ = try await bench.store.entry(.keys) },
            { _ = try await bench.store.entries(.records) },
            { try await bench.store.put(Entry(bench.name, [1]), expecting: nil, while: nil) },
            { try await bench.store.remove(bench.name, expecting: EntryVersion("")) },
        ]
    }
}

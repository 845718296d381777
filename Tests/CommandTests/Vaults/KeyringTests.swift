import FoundationEssentials
import Glibc
import KeyoverSandbox
import Testing
import VaultServers

/// The desktop's keyring under the program: as the place of a vault, and as the place of a file vault's identity.
@Suite struct KeyringTests {
    /// What lies in the keyring.
    enum Use: String, CaseIterable, Sendable {
        case vault
        case identity

        var arguments: [String] {
            switch self {
            case .vault: ["--vault", "libsecret:"]
            case .identity: ["--identity", "libsecret"]
            }
        }
    }

    /// What is wrong.
    enum Harm: String, CaseIterable, Sendable {
        case locked, frozen, ended, busGone, busFrozen, noBus, noBusButADisplay, notAnAddress

        /// What the error names, and what the hint.
        var words: (error: String, hint: String) {
            switch self {
            case .locked: ("default keyring is locked", "gnome-keyring-daemon --unlock")
            case .frozen, .busFrozen: ("does not answer", "systemctl --user status gnome-keyring-daemon")
            case .ended: ("no Secret Service runs", "gnome-keyring-daemon --start")
            case .busGone, .noBus, .noBusButADisplay, .notAnAddress: ("session bus", "dbus-run-session")
            }
        }

        func environment(_ place: [String: String]) -> [String: String] {
            switch self {
            case .noBus: ["DBUS_SESSION_BUS_ADDRESS": ""]
            case .noBusButADisplay: ["DBUS_SESSION_BUS_ADDRESS": "", "DISPLAY": ":99"]
            case .notAnAddress: ["DBUS_SESSION_BUS_ADDRESS": "autolaunch:", "DISPLAY": ":99"]
            default: place
            }
        }

        func happen(to server: SecretServiceServer) async throws {
            switch self {
            case .locked: try await server.lock()
            case .frozen: try await server.freeze()
            case .ended: try await server.kill()
            case .busGone: try await server.killBus()
            case .busFrozen: try await server.freezeBus()
            case .noBus, .noBusButADisplay, .notAnAddress: break
            }
        }
    }

    private struct Status: Decodable {
        let consumers: Int
    }

    private static let canary = "canary-4f1d9a-of-the-keyring"
    private static let searching = ["search", "--all", "application", "keyover"]

    @Test(arguments: Harm.allCases)
    func whatKeepsTheKeyringAwayIsSaidWithinThreeSeconds(harm: Harm) async throws {
        try await withKeyring { server, place in
            var homes: [KeyoverHome] = []
            for use in Use.allCases {
                let home = try KeyoverHome { _ in place }
                try await Self.fill(home, use)
                #expect(try await home.succeed("get", "billing-sync") == Self.canary + "\n")
                homes.append(home)
            }
            try await harm.happen(to: server)
            for home in homes {
                let start = ContinuousClock.now
                let result = try await home.start(["get", "billing-sync"], harm.environment(place)).finish()
                #expect(ContinuousClock.now - start < .seconds(3))
                #expect(result.exitCode == 5, "\(result)")
                #expect(result.output.isEmpty)
                #expect(result.errors.contains("error: ") && result.errors.contains(harm.words.error), "\(result)")
                #expect(result.errors.contains("hint: ") && result.errors.contains(harm.words.hint), "\(result)")
            }
        }
    }

    @Test func noPersonIsAskedThoughThereIsADisplay() async throws {
        try await withKeyring { server, place in
            let home = try KeyoverHome { _ in place.merging(["DISPLAY": ":99", "WAYLAND_DISPLAY": "wayland-9"]) { $1 } }
            try await Self.fill(home, .vault)
            try await server.lock()
            for command in [
                ["get", "billing-sync"], ["tenant", "add", "x", "--provider", "manual"], ["client", "list"],
            ] {
                let start = ContinuousClock.now
                let result = try await home.start(command).finish()
                #expect(ContinuousClock.now - start < .seconds(3))
                #expect(result.exitCode == 5 && result.errors.contains("is locked"), "\(result)")
            }
            let fresh = try KeyoverHome { _ in place.merging(["DISPLAY": ":99"]) { $1 } }
            for use in Use.allCases {
                let result = try await fresh.start(["init"] + use.arguments).finish(within: .seconds(10))
                #expect(result.exitCode == 5 && result.errors.contains("is locked"), "\(result)")
                #expect(!FileManager.default.fileExists(atPath: fresh.path + "/config/keyover/config.yaml"))
            }
        }
    }

    @Test func aDesktopUserSeesWhatIsWhat() async throws {
        try await withKeyring { server, place in
            let home = try KeyoverHome { _ in place }
            try await Self.fill(home, .vault)
            try await Self.add("ledger-export", to: home)
            try await home.succeed("get", "billing-sync", "--as", "web-1")
            let shown = try #require(try server.run("/usr/bin/secret-tool", Self.searching))
            let labels = shown.split(separator: "\n").filter { $0.hasPrefix("label = ") }.map { $0.dropFirst(8) }
            for label in [
                "Keyover: client billing-sync", "Keyover: client ledger-export", "Keyover: tenant hand",
                "Keyover: keys of the vault", "Keyover: consumer web-1 of billing-sync",
            ] { #expect(labels.contains(label[...]), "\(labels)") }
            #expect(labels.contains { $0.hasPrefix("Keyover: host ") })
            #expect(labels.count == 6)
            #expect(shown.contains("attribute.client = billing-sync"))
            let one = try #require(
                try server.run("/usr/bin/secret-tool", Self.searching + ["type", "client", "client", "ledger-export"]))
            #expect(one.contains("Keyover: client ledger-export") && !one.contains("billing-sync"))

            try await home.succeed("client", "remove", "ledger-export", "--yes")
            let rest = try #require(try server.run("/usr/bin/secret-tool", Self.searching))
            #expect(rest.contains("Keyover: trace of a removed client") && !rest.contains("client ledger-export\n"))
            try await Self.add("ledger-export", to: home)
            let again = try #require(try server.run("/usr/bin/secret-tool", Self.searching))
            #expect(again.contains("Keyover: client ledger-export") && !again.contains("removed client"))
        }
    }

    @Test(arguments: Use.allCases)
    func noSecretLiesInTheKeyringOrInAnswersOfIt(use: Use) async throws {
        try await withKeyring { server, place in
            let home = try KeyoverHome { _ in place }
            try await Self.fill(home, use)
            #expect(try await home.succeed("get", "billing-sync") == Self.canary + "\n")
            let shown = try #require(try server.run("/usr/bin/secret-tool", Self.searching))
            #expect(!shown.contains(Self.canary))
            let folder = server.folder + "/data/keyrings"
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
                let data = try #require(FileManager.default.contents(atPath: folder + "/" + name))
                for needle in [Self.canary, Data(Self.canary.utf8).base64EncodedString(), "AGE-SECRET-KEY-1"] {
                    #expect(data.firstRange(of: Data(needle.utf8)) == nil, "\(needle) in \(name)")
                }
            }
            for (file, data) in home.files() where use == .identity {
                #expect(data.firstRange(of: Data("AGE-SECRET-KEY-1".utf8)) == nil, "\(file)")
            }
        }
    }

    @Test func anItemThatAnotherProgramChangedOrTookIsRefused() async throws {
        try await withKeyring { server, place in
            let home = try KeyoverHome { _ in place }
            try await Self.fill(home, .vault)
            try await Self.add("ledger-export", to: home)
            let tool = "/usr/bin/secret-tool"
            func attributes(_ client: String) throws -> [String] {
                let shown = try #require(
                    try server.run(tool, Self.searching + ["type", "client", "client", client]))
                let pairs = shown.split(separator: "\n").filter { $0.hasPrefix("attribute.") }
                let schema = ["xdg:schema", "org.keyover.Entry"]
                return schema + pairs.flatMap { $0.dropFirst(10).split(separator: " = ").map(String.init) }
            }
            let (one, other) = (try attributes("billing-sync"), try attributes("ledger-export"))
            let old = try #require(try server.run(tool, ["lookup"] + one))
            let foreign = try #require(try server.run(tool, ["lookup"] + other))
            try await home.succeed("client", "edit", "billing-sync", "--owner", "ada")
            let new = try #require(try server.run(tool, ["lookup"] + one))
            #expect(new != old)

            for (what, content) in [
                "older": old, "exchanged": foreign, "garbage": "AAAA", "shorter": String(new.dropLast(8)),
            ] {
                try #require(try server.run(tool, ["store", "--label=Keyover"] + one, input: content) != nil)
                let result = try await home.run("get", "billing-sync")
                #expect(result.exitCode == 5 && result.output.isEmpty, "\(what): \(result)")
                #expect(try await home.run("vault", "verify").exitCode != 0, "\(what)")
            }
            try #require(try server.run(tool, ["clear"] + one) != nil)
            let gone = try await home.run("get", "billing-sync")
            #expect(gone.exitCode == 5 && gone.errors.contains("missing"), "\(gone)")
            try #require(try server.run(tool, ["store", "--label=Keyover"] + one, input: new) != nil)
            #expect(try await home.succeed("get", "billing-sync") == Self.canary + "\n")
            #expect(try await home.run("vault", "verify").exitCode == 0)
        }
    }

    @Test func severalProcessesAddWhatAllOfThemSee() async throws {
        try await withKeyring { _, place in
            let home = try KeyoverHome { _ in place }
            try await Self.fill(home, .vault)
            try await home.succeed("get", "billing-sync", "--as", "first")
            let consumers = (1...6).map { "web-\($0)" }
            let all = try consumers.map { try home.start(["get", "billing-sync", "--as", $0]) }
            for process in all {
                let result = try await process.finish()
                #expect(result.exitCode == 0, "\(result)")
            }
            #expect(try await home.read(Status.self, "vault", "status").consumers == 7)
        }
    }

    @Test func theIdentityInTheKeyringOpensAFileVaultAndCanBeTakenElsewhere() async throws {
        try await withKeyring { server, place in
            let home = try KeyoverHome { _ in place }
            try await Self.fill(home, .identity)
            #expect(!FileManager.default.fileExists(atPath: home.path + "/config/keyover/identity.txt"))
            #expect(try await home.succeed("config").contains("libsecret "))
            #expect(try await home.succeed("vault", "status").contains("identity:          libsecret\n"))
            let arguments = ["lookup", "application", "keyover", "type", "identity"]
            let text = try #require(try server.run("/usr/bin/secret-tool", arguments))
            let file = try home.write(text, to: "safe.txt")
            #expect(try await home.succeed("--identity", file, "get", "billing-sync") == Self.canary + "\n")

            // Said by whichever source, it is the keyring and no file of that name.
            for word in ["libsecret", "libsecret:login", "libsecret:"] {
                #expect(try await home.succeed("--identity", word, "get", "billing-sync") == Self.canary + "\n")
                let result = try await home.start(["get", "billing-sync"], ["KEYOVER_IDENTITY_FILE": word]).finish()
                #expect(result.output == Self.canary + "\n", "\(result)")
            }
            let elsewhere = try await home.run("--identity", "libsecret:session", "get", "billing-sync")
            #expect(elsewhere.exitCode == 5 && elsewhere.errors.contains("keyring session holds no identity"))

            try #require(
                try server.run("/usr/bin/secret-tool", ["clear", "application", "keyover", "type", "identity"]) != nil)
            #expect(try await home.run("get", "billing-sync").exitCode == 5)
            try #require(
                try server.run(
                    "/usr/bin/secret-tool", ["store", "--label=Keyover: identity"] + arguments.dropFirst(), input: text)
                    != nil)
            #expect(try await home.succeed("get", "billing-sync") == Self.canary + "\n")
        }
    }

    @Test func anInitThatWasKilledGoesOnWithTheIdentityItMade() async throws {
        try await withKeyring { server, place in
            let home = try KeyoverHome { _ in place }
            for delay in [5, 20, 40, 60, 80, 100, 120, 160] {
                let process = try home.start(["init", "--identity", "libsecret"])
                try await Task.sleep(for: .milliseconds(delay))
                process.send(SIGKILL)
                try await process.finish()
            }
            if !FileManager.default.fileExists(atPath: home.path + "/config/keyover/config.yaml") {
                try await home.succeed("init", "--identity", "libsecret")
            }
            let shown = try #require(
                try server.run("/usr/bin/secret-tool", Self.searching + ["type", "identity"]))
            #expect(shown.split(separator: "\n").filter { $0.hasPrefix("label = Keyover: identity age1") }.count == 1)
            try await home.succeed("tenant", "list")
        }
    }

    @Test func aKeyDoesNotLieBesideTheRecordsThatItOpens() async throws {
        try await withKeyring { server, place in
            let home = try KeyoverHome { _ in place }
            let refused = try await home.run("init", "--vault", "libsecret:", "--identity", "libsecret:session")
            #expect(refused.exitCode == 1)
            #expect(refused.errors.contains("must not lie beside it"))
            #expect(try server.run("/usr/bin/secret-tool", Self.searching)?.isEmpty ?? true)
            try await Self.fill(home, .vault)
            let later = try await home.run("--identity", "libsecret", "get", "billing-sync")
            #expect(later.exitCode == 1 && later.errors.contains("must not lie beside it"), "\(later)")
        }
    }

    /// A vault with a tenant and a client in it.
    private static func fill(_ home: KeyoverHome, _ use: Use) async throws {
        let result = try await home.start(["init"] + use.arguments).finish()
        guard result.exitCode == 0 else { throw TestFailure("init: \(result)") }
        try await home.succeed(
            "tenant", "add", "hand", "--provider", "manual", "--set", "token_url=https://login.example.com/token")
        try await add("billing-sync", to: home)
    }

    private static func add(_ client: String, to home: KeyoverHome) async throws {
        try await home.succeed(
            "client", "add", client, "--tenant", "hand", "--client-id", "id-of-\(client)", "--no-verify",
            "--secret-stdin", input: canary)
    }
}

/// Runs with a keyring of its own, and with the environment that programs need to find it.
func withKeyring(
    _ body: (SecretServiceServer, [String: String]) async throws -> Void
) async throws {
    let server = try await SecretServiceServer.start()
    do {
        try await body(server, try await server.place().environment)
    } catch {
        await server.stop()
        throw error
    }
    await server.stop()
}

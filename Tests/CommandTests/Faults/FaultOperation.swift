import FoundationEssentials
import Glibc
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing

/// A command that changes files, tried with every fault at every call.
struct FaultOperation: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let arguments: [String]
    var input = ""
    /// What the command may say when it is run again though it was done already, instead of just succeeding.
    var doneAlready: [String] = []
    /// A note that is not made up for when the command has nothing left to do; what is left of it goes with the next one.
    var mayLack: String?
    /// Whether there is no vault before.
    var beginsWithNothing = false
    /// Whether the vault that is there is older than the host has seen.
    var beginsOlder = false
    /// Whether keys change, so that the pins in the configuration have to keep up.
    var changesKeys = false
    /// What is done beforehand to the home, with everything in it.
    var before: @Sendable (KeyoverHome) async throws -> Void = { _ in }

    static let somebody = "age1ntvw0fatxnluws80ch50ramffuyjkg07sprsazj4wc4rn926yu0smux5px"
    static let tokenURL = "token_url=https://login.example.org/token"

    /// All operations, or the one that FAULT_OPERATION names.
    static let chosen = all.filter { operation in
        let name = getenv("FAULT_OPERATION").map { String(cString: $0) }
        return name.map { $0 == operation.testDescription } ?? true
    }

    private static let all = [
        Self(
            testDescription: "init", arguments: ["init"], doneAlready: ["there is a configuration at"],
            beginsWithNothing: true),
        Self(
            testDescription: "tenant add",
            arguments: ["tenant", "add", "more", "--provider", "manual", "--set", tokenURL],
            doneAlready: ["there is a tenant named more already"]),
        Self(
            testDescription: "client add",
            arguments: ["client", "add", "more", "--tenant", "ops", "--client-id", "id", "--no-verify"],
            input: "the secret of more", doneAlready: ["there is a client named more already"]),
        Self(testDescription: "client edit", arguments: ["client", "edit", "one", "--owner", "somebody"]),
        Self(
            testDescription: "client remove", arguments: ["client", "remove", "one", "--yes"],
            doneAlready: ["there is no client named one"]),
        Self(testDescription: "get --as", arguments: ["get", "one", "--as", "web-1"]),
        Self(testDescription: "vault verify", arguments: ["vault", "verify"]) { home in
            // What a host finds out when it sees the vault for the first time.
            try home.removeFiles { $0.hasSuffix(".counter") }
        },
        Self(
            testDescription: "vault rekey", arguments: ["vault", "rekey", "--add", somebody], changesKeys: true),
        Self(
            testDescription: "vault grant", arguments: ["vault", "grant", "--metadata-only", somebody],
            changesKeys: true),
        Self(
            testDescription: "vault backup", arguments: ["vault", "backup", "backup.age"],
            doneAlready: ["there is something at backup.age already"], mayLack: "state/keyover/.backup"),
        Self(
            testDescription: "vault restore",
            arguments: ["vault", "restore", "backup.age", "--identity", "identity.txt"],
            doneAlready: ["there is a vault at", "and this host has seen"], changesKeys: true
        ) { home in
            try await home.succeed("vault", "backup", "backup.age")
            // Another host: all that is left is the backup and the identity.
            guard rename(home.path + "/config/keyover/identity.txt", home.path + "/identity.txt") == 0 else {
                throw TestFailure.last("no identity")
            }
            for folder in ["config", "data", "state"] { try home.removeTree(folder + "/keyover") }
        },
        Self(
            testDescription: "vault restore --replace",
            arguments: ["vault", "restore", "backup.age", "--replace", "--accept-older", "--yes"], changesKeys: true
        ) { home in
            try await home.succeed("vault", "backup", "backup.age")
        },
        Self(
            testDescription: "vault restore --accept-older",
            arguments: ["vault", "restore", "--accept-older", "--yes"],
            beginsOlder: true, changesKeys: true
        ) { home in
            let (vault, mark) = (home.path + "/data/keyover/vault/", try HomeSnapshot(of: home))
            try await home.succeed("client", "edit", "two", "--owner", "somebody")
            // The vault as it was, and everything else as it is.
            let newer = try HomeSnapshot(of: home)
            try mark.restore()
            let older = try HomeSnapshot(of: home) { (home.path + "/" + $0).hasPrefix(vault) }
            try newer.restore()
            try home.removeFiles { (home.path + "/" + $0).hasPrefix(vault) }
            try older.write()
        },
        Self(
            testDescription: "vault migrate", arguments: ["vault", "migrate", "--to", "./data/keyover/next", "--yes"],
            changesKeys: true),
    ]
}

/// What a vault says, as far as it matters whether a change took place.
struct VaultState: Equatable, Sendable {
    /// By name: secret and owner; not the generation, which each restore raises.
    private(set) var clients: [String: [String]] = [:]
    private(set) var tenants: [String] = []
    /// By client: the consumers.
    private(set) var ledger: [String: [String]] = [:]

    /// The state of a home's vault; `nil` when there is none, or none is configured.
    static func read(in home: KeyoverHome, mayBeOlder: Bool = false) async throws -> VaultState? {
        let names = ["config/keyover/config.yaml", "data/keyover/vault"]
        guard names.allSatisfy({ access(home.path + "/" + $0, F_OK) == 0 }) else { return nil }
        return try await VaultState(of: home, mayBeOlder: mayBeOlder)
    }

    /// Opens the vault of a home, checks all of it, and reads all of it.
    private init(of home: KeyoverHome, mayBeOlder: Bool) async throws {
        let places = ["/config/keyover/identity.txt", "/identity.txt"].map { home.path + $0 }
        let identity = try #require(places.first { access($0, F_OK) == 0 })
        let means = VaultAccess(identities: try IdentityFile.read(identity))
        // The one that is in use.
        let configuration = try String(contentsOfFile: home.path + "/config/keyover/config.yaml", encoding: .utf8)
        let line = try #require(configuration.split(separator: "\n").first { $0.hasPrefix("vault: ") })
        let vault = try await VaultRegistry.open(try #require(VaultURL(String(line.dropFirst(7)))), means)
        let inspectable = try #require(vault as? any InspectableVault)
        let verification = try await inspectable.verify()
        // A vault between two epochs is whole, and says so.
        let findings = verification.findings.filter { !$0.message.contains("not rekeyed to the end") }
        guard findings.isEmpty else { throw TestFailure("the vault is not sound: \(findings)") }
        let status = try await inspectable.status()
        if !mayBeOlder,
            let seen = try HighWaterMark(stateDirectory: home.stateDirectory, vaultID: status.id).read(),
            seen > status.mark
        {
            throw TestFailure("the host has seen \(seen), and the vault is at \(status.mark)")
        }
        tenants = try await vault.summaries(TenantRecord.self).map(\.record.name.description)
        for name in try await vault.summaries(ClientRecord.self).map(\.record.name) {
            let record = try #require(try await vault.read(name)).record
            // Straight from the record, since a restored client's secret is not given out.
            let secret = try #require(record.primary.value)
            clients[name.description] = [
                secret.withUnsafeSecretBytes { String(decoding: $0, as: UTF8.self) },
                record.registration.owner ?? "",
            ]
            ledger[name.description] = try await vault.ledger(of: name).map(\.consumer.description)
        }
    }
}

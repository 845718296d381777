import Foundation
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Testing
import VaultServers

/// Signing in with a token or AppRole, staying signed in, and what is said when that does not work.
@Suite struct KVSignInTests {
    private let client = SampleRecords.client("billing-sync")

    private func reach(_ specimen: KVSpecimen, user: String?, _ credential: String?) -> VaultReach {
        VaultReach(
            user: user, credential: credential.map { SecretValue(copying: $0.utf8) },
            caFile: specimen.server.caFile)
    }

    @Test func aTokenIsEnough() async throws {
        let specimen = try await KVSpecimen()
        let token = try await specimen.server.token(OpenBaoServer.policy(for: specimen.prefix))
        let vault = try await specimen.reopened(reach(specimen, user: nil, token))
        _ = try await vault.write(client, expecting: nil)
        #expect(try await vault.read(client.name)?.record == client)
    }

    @Test func aTokenThatMayNotLookAtItselfWorksToo() async throws {
        let specimen = try await KVSpecimen()
        let token = try await specimen.server.token(
            OpenBaoServer.policy(for: specimen.prefix),
            settings: #""ttl": "10m", "no_default_policy": true"#)
        let vault = try await specimen.reopened(reach(specimen, user: nil, token))
        _ = try await vault.write(client, expecting: nil)
    }

    @Test func wrongCredentialsAreNamedByWhatToReplace() async throws {
        let specimen = try await KVSpecimen()
        let role = try #require(specimen.place.reach.user)
        let cases: [(user: String?, credential: String?, remedy: String)] = [
            (nil, "s.wrong", "bao token create"), (nil, "no\r\ntoken: x", "bao token create"),
            (role, "wrong", "bao write -f -field=secret_id auth/approle/role/ROLE/secret-id"),
            ("wrong", "wrong", "secret-id"), (nil, nil, "set vault_credential"),
            (role, nil, "set vault_credential"),
        ]
        for attempt in cases {
            let error = await failure {
                _ = try await specimen.reopened(reach(specimen, user: attempt.user, attempt.credential))
            }
            #expect(error?.code == .locked)
            #expect(error?.remedy?.contains(attempt.remedy) == true, "\(error?.remedy ?? "nothing")")
            #expect(error.map { !"\($0.message)\($0.remedy ?? "")".contains("wrong\"") } == true)
        }
    }

    @Test func manyCallersAtOnceSignInOnce() async throws {
        let specimen = try await KVSpecimen()
        _ = try await specimen.vault.write(client, expecting: nil)
        // The secret id is good for one use.
        let role = try await specimen.server.role(
            "once-\(specimen.prefix.suffix(8))", policy: OpenBaoServer.policy(for: specimen.prefix),
            settings: #""secret_id_num_uses": 1, "token_ttl": "10m""#)
        let store = try await KVBackend.store(
            specimen.place.url, reach(specimen, user: role.roleID, role.secretID))
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 { group.addTask { try await store.entry(.keys) != nil } }
            for try await isThere in group { #expect(isThere) }
        }
        let again = await failure {
            _ = try await specimen.reopened(reach(specimen, user: role.roleID, role.secretID))
        }
        #expect(again?.code == .locked)
    }

    /// Reads again and again until the time is over, which is longer than a token lives.
    private func use(_ vault: any Vault, for time: Duration) async throws {
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end {
            #expect(try await vault.read(client.name) != nil)
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    @Test func aTokenIsRenewedWhileItIsInUse() async throws {
        let specimen = try await KVSpecimen()
        _ = try await specimen.vault.write(client, expecting: nil)
        let token = try await specimen.server.token(
            OpenBaoServer.policy(for: specimen.prefix), settings: #""ttl": "6s""#)
        try await use(try await specimen.reopened(reach(specimen, user: nil, token)), for: .seconds(10))
    }

    @Test(arguments: [
        #""token_ttl": "2s""#, #""token_ttl": "2s", "token_max_ttl": "3s""#,
        #""token_ttl": "2s", "token_type": "batch""#,
        #""token_ttl": "10m", "token_num_uses": 5"#,
    ]) func aRoleStaysSignedInWhateverItsTokensAreLike(settings: String) async throws {
        let specimen = try await KVSpecimen()
        _ = try await specimen.vault.write(client, expecting: nil)
        let role = try await specimen.server.role(
            "brief-\(specimen.prefix.suffix(8))", policy: OpenBaoServer.policy(for: specimen.prefix),
            settings: settings)
        try await use(try await specimen.reopened(reach(specimen, user: role.roleID, role.secretID)), for: .seconds(5))
    }

    @Test func aRevokedTokenIsReplacedByARoleAndReportedOtherwise() async throws {
        let server = try await OpenBaoServer.start()
        let specimen = try await KVSpecimen(server)
        var revision = try await specimen.vault.write(client, expecting: nil)
        let token = try await server.token(OpenBaoServer.policy(for: specimen.prefix))
        let other = try await specimen.reopened(reach(specimen, user: nil, token))
        try await server.root.must(.put, "sys/leases/revoke-prefix/auth/approle/login", "{}")
        try await server.root.must(.post, "auth/token/revoke", "{\"token\": \"\(token)\"}")
        revision = try await specimen.vault.write(client, expecting: revision)
        let error = await failure { _ = try await other.read(client.name) }
        #expect(error?.code == .locked)
        #expect(error?.message.contains("refuses the token") == true)
        #expect(error?.message.contains(token) == false)
        await server.stop()
    }

    @Test(arguments: [
        ("data", #"["create", "read", "update"]"#, "read"),
        ("data", #"["create", "read", "update"]"#, "create"),
        ("data", #"["create", "read", "update"]"#, "update"),
        ("metadata", #"["read", "list"]"#, "read"),
        ("metadata", #"["read", "list"]"#, "list"), ("destroy", #"["update"]"#, "update"),
    ]) func eachCapabilityThatIsMissingIsNamed(door: String, granted: String, missing: String)
        async throws
    {
        let specimen = try await KVSpecimen()
        let less = granted.replacing("\"\(missing)\"", with: "\"deny\"").replacing(
            "\"deny\", ", with: ""
        )
        .replacing(", \"deny\"", with: "")
        let policy = OpenBaoServer.policy(for: specimen.prefix).components(separatedBy: "\n").map { line in
            line.contains("secret/\(door)/") ? line.replacing(granted, with: less) : line
        }.joined(separator: "\n")
        let token = try await specimen.server.token(policy)
        let error = await failure {
            let vault = try await specimen.reopened(reach(specimen, user: nil, token))
            var revision: Revision?
            // The third write has to destroy what the second could not.
            for _ in 0..<3 { revision = try await vault.write(client, expecting: revision) }
            _ = try await vault.summaries(ClientRecord.self)
        }
        #expect(error?.code == .locked)
        let remedy = try #require(error?.remedy)
        #expect(remedy.contains("path \"secret/\(door)/\(specimen.prefix)/*\""))
        #expect(remedy.contains("\"\(missing)\""))
        // With what was asked for added, it works.
        let enough = try await specimen.server.token(OpenBaoServer.policy(for: specimen.prefix))
        let vault = try await specimen.reopened(reach(specimen, user: nil, enough))
        let present = try await vault.read(client.name)
        _ = try await vault.write(client, expecting: present?.revision)
        #expect(try await vault.summaries(ClientRecord.self).count == 1)
    }

    @Test func aVaultLivesInANamespaceAndUnderADeepMount() async throws {
        let server = try await SharedOpenBao.server
        try await server.root.must(.post, "sys/namespaces/team-a", "{}")
        try await server.mount("deep/kv", in: "team-a")
        let identity = try X25519Identity.generate()
        let token = try #require(server.root.token)
        let reach = VaultReach(credential: SecretValue(copying: token.utf8), caFile: server.caFile)
        func url(_ namespace: String) -> VaultURL {
            VaultURL(
                scheme: "kv",
                location: "\(server.address)/deep/kv/keyover?mount=deep/kv&namespace=\(namespace)")
        }
        _ = try await KVBackend.create(
            url("team-a"), VaultCreation(for: [identity.recipient], reach: reach))
        let vault = try await KVSpecimen.open(url("team-a"), reach, [identity], nil)
        _ = try await vault.write(client, expecting: nil)
        var root = server.root
        root.namespace = "team-a"
        #expect(try await root.call(.get, "deep/kv/data/keyover/clients/billing-sync").status == 200)
        #expect(
            try await server.root.call(.get, "deep/kv/data/keyover/clients/billing-sync").status == 404)
        let error = await failure {
            _ = try await KVSpecimen.open(url("team-b"), reach, [identity], nil)
        }
        #expect(error?.code == .missing)
        #expect(error?.message.contains("team-b") == true)
    }

    @Test(arguments: [
        "https://h", "https://h/", "https://h/a//b", "https://h/a/../b", "https://h/a%2Fb",
        "https://h/a b", "http://h/a",
        "https://u@h/a", "https://h/a?mount=b", "https://h/a?mount=", "https://h/a?namespaces=x", "h/a",
        "",
        "https://h/a?namespace=x%0d%0aX-Vault-Token:%20y", "https://h/a?auth=../sys",
    ]) func anotherPlaceThanAMountAndAPrefixIsRefused(location: String) async {
        let error = await failure {
            _ = try await KVBackend.store(VaultURL(scheme: "kv", location: location), VaultReach())
        }
        #expect(error?.code == .invalid)
        #expect(error?.remedy != nil)
    }
}

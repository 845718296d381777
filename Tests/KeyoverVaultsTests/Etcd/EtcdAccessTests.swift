import Foundation
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import Testing
import VaultServers

@testable import KeyoverVaults

/// Who gets at a vault in etcd, and what is told to who does not.
@Suite struct EtcdAccessTests {
    @Test func whoIsNotLetInIsToldWhatToType() async throws {
        try await EtcdBench.withCluster { cluster in
            let bench = try await EtcdBench(cluster)
            let wrong = await failure {
                _ = try await bench.open { $0.reach.credential = SecretValue(copying: "wrong-hush".utf8) }
            }
            #expect(wrong?.code == .locked)
            #expect(wrong?.remedy?.contains("etcdctl user passwd keyover") == true)
            #expect(wrong.map { "\($0)".contains("wrong-hush") } == false)

            let nobody = await failure {
                _ = try await bench.open {
                    $0.reach.user = nil
                    $0.reach.credential = nil
                }
            }
            #expect(nobody?.code == .locked)
            #expect(nobody?.remedy?.contains("vault_user") == true)

            let half = await failure { _ = try await bench.open { $0.reach.credential = nil } }
            #expect(half?.code == .locked)

            let untrusted = await failure { _ = try await bench.open { $0.reach.caFile = nil } }
            #expect(untrusted?.code == .notTrusted)
            #expect(untrusted?.remedy?.contains("ca_file") == true)

            let elsewhere = VaultURL(
                scheme: "etcd", location: bench.place.url.location.replacingOccurrences(of: "/tests/", with: "/other/"))
            let outside = await failure { _ = try await VaultRegistry.open(elsewhere, bench.access) }
            #expect(outside?.code == .locked)
            #expect(outside?.remedy?.contains("role grant-permission") == true)
        }
    }

    @Test func aRoleThatOnlyReadsIsEnoughToReadAndNoMore() async throws {
        try await EtcdBench.withCluster { cluster in
            let bench = try await EtcdBench(cluster)
            let client = SampleRecords.client("billing")
            let revision = try await bench.open().write(client, expecting: nil)
            for order in [
                ["role", "add", "reader"],
                ["role", "grant-permission", "reader", "--prefix=true", "read", cluster.prefix(of: bench.place) + "/"],
                ["user", "add", "reader:hush"], ["user", "grant-role", "reader", "reader"],
            ] {
                try cluster.control(order)
            }
            let vault = try await bench.open {
                $0.reach.user = "reader"
                $0.reach.credential = SecretValue(copying: "hush".utf8)
            }
            #expect(try await vault.read(client.name)?.revision == revision)
            let error = await failure { _ = try await vault.write(client, expecting: revision) }
            #expect(error?.code == .locked)
            #expect(error?.message.contains("reader") == true)
        }
    }

    @Test func aTokenThatIsNoLongerGoodIsRenewed() async throws {
        try await EtcdBench.withCluster { cluster in
            let bench = try await EtcdBench(cluster)
            let store = try EtcdStore(bench.place.url, bench.place.reach)
            let vault = try await EntryVault.open(store, bench.access)
            let client = SampleRecords.client("billing")
            let revision = try await vault.write(client, expecting: nil)
            for token in ["expired.17", "nonsense", "€"] {
                let isKept = store.client.session.keep(token)
                #expect(isKept == (token != "€"))
                #expect(try await vault.read(client.name)?.revision == revision)
                #expect(store.client.session.token != token)
            }
            _ = store.client.session.keep("expired.18")
            let next = try await vault.write(client, expecting: revision)
            // Restarted members have forgotten all tokens.
            cluster.killAll()
            try await cluster.revive()
            #expect(try await vault.read(client.name)?.revision == next)
        }
    }

    @Test(arguments: [
        "http://etcd.example.com:2379", "http://localhost:2379", "http://10.0.0.1:2379/keyover",
        "https://user:hush@one:2379", "https://one:2379#hush", "ftp://one:2379", "one:2379", "", "https://",
        "https://one:0", "https://one:2379,https://one:2379", "https://one:2379/a,https://two:2379/a",
        "https://one:2379?stale=5m,https://two:2379", "https://one:2379/a//b", "https://one:2379/a%2Fb",
        "https://one:2379/keyover?fresh=5m", "https://one:2379/keyover?stale=soon", "https://one:2379?stale=-5m",
        "https://one:2379?stale=30d", "https://one:2379?stale=1m&stale=2m", "https://[::1:2379", "https://ein ort:2379",
        String(repeating: "https://one:2379,", count: 20) + "https://two:2379",
    ])
    func aURLThatIsNotOneOfEtcdIsRefused(location: String) async throws {
        let url = VaultURL(scheme: "etcd", location: location)
        let error = await failure { _ = try await EtcdBackend.store(url, VaultReach()) }
        #expect(error?.code == .invalid, "\(location)")
        #expect(error?.remedy != nil)
        #expect(error?.message.contains("hush") == false)
    }

    @Test func aURLSaysMembersPrefixAndStaleness() throws {
        let url = try EtcdURL(
            VaultURL(scheme: "etcd", location: "https://One:2379,https://[::1]:2380,http://127.0.0.1:1/a/b/?stale=90s"))
        #expect(url.servers.map(\.origin) == ["https://one:2379", "https://[::1]:2380", "http://127.0.0.1:1"])
        #expect(url.prefix == "/a/b")
        #expect(url.staleness == .seconds(90))
        let plain = try EtcdURL(VaultURL(scheme: "etcd", location: "https://one:2379"))
        #expect(plain.prefix == "/keyover" && plain.staleness == .zero)
    }
}

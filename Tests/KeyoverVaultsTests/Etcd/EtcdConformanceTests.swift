import KeyoverConformance
import KeyoverCore
import KeyoverVaults
import Testing
import VaultServers

private struct EtcdFixture: VaultFixture {
    let bench: EtcdBench
    let vault: any Vault

    func secondHandle() async throws -> any Vault { try await bench.open() }
    func metadataHandle() async throws -> (any Vault)? { nil }
}

/// The suite of all vaults, on three members with TLS and users.
@Suite struct EtcdConformanceTests {
    @Test(.timeLimit(.minutes(5))) func aVaultInEtcdKeepsTheContract() async throws {
        try await EtcdBench.withCluster { cluster in
            let suite = VaultSuite { body in
                let bench = try await EtcdBench(cluster)
                try await body(EtcdFixture(bench: bench, vault: try await bench.open()))
            }
            for promise in suite.cases {
                do {
                    try await promise.run()
                } catch {
                    Issue.record("\(promise): \(error)")
                }
            }
        }
    }
}

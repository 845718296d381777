import KeyoverConformance
import KeyoverVaults
import Testing

/// The suite that all backends share, with auditors, on the real server.
@Suite struct KVConformanceTests {
    @Test func theBackendKeepsTheContract() async throws {
        for promise in VaultSuite(withFixture: { body in try await body(try await KVSpecimen()) }).cases {
            do {
                try await promise.run()
            } catch {
                Issue.record("\(promise): \(error)")
            }
        }
    }
}

import Dispatch
import KeyoverCore

/// Runs what blocks on a thread of Dispatch, so that the cooperative pool stays free.
enum Offloaded {
    static func run<Result: Sendable>(
        _ body: @escaping @Sendable () throws(VaultError) -> Result
    ) async throws(VaultError) -> Result {
        let outcome: Swift.Result<Result, VaultError> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: Swift.Result { () throws(VaultError) in try body() })
            }
        }
        return try outcome.get()
    }
}

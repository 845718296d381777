import CSecretService
import KeyoverCore

/// Work on a keyring, on a thread that may block.
enum KeyringWork {
    /// How much of what the service said by the way is looked at before it is dropped.
    private static let drained = 1000

    /// Runs the body with a keyring that was reached for it, all within the patience.
    static func run<Result: Sendable>(
        on collection: String?, within patience: TimeSpan,
        _ body: @escaping @Sendable (KeyringService, BoundedCalls) throws(VaultError) -> Result
    ) async throws(VaultError) -> Result {
        try await Offloaded.run { () throws(VaultError) in
            try withOwnContext { () throws(VaultError) in
                let calls = BoundedCalls(within: patience)
                return try body(try KeyringService(collection, calls), calls)
            }
        }
    }

    /// Runs the body with a main context that ends with it.
    ///
    /// Whatever the service announces is queued for a main loop. Nobody runs the process's own: there it would pile up,
    /// and hold on to a connection whose bus is gone, so that no other one is ever made.
    private static func withOwnContext<Result>(
        _ body: () throws(VaultError) -> Result
    ) throws(VaultError) -> Result {
        let context = g_main_context_new()
        g_main_context_push_thread_default(context)
        defer {
            var rest = drained
            while rest > 0, g_main_context_iteration(context, 0) != 0 { rest -= 1 }
            g_main_context_pop_thread_default(context)
            g_main_context_unref(context)
        }
        return try body()
    }
}

import KeyoverCore
import Synchronization

/// A value made once, when it is first asked for; failing to make it is tried again by the next who asks.
final class SerialLazy<Value: Sendable>: Sendable {
    private let stored = Mutex<Value?>(nil)

    /// The value, made now if there is none yet.
    func value(_ make: () throws(VaultError) -> Value) throws(VaultError) -> Value {
        try stored.withLock { stored throws(VaultError) in
            if let stored { return stored }
            let value = try make()
            stored = value
            return value
        }
    }
}

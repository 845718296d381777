import KeyoverCore
import KeyoverSealing
import KeyoverVaults
import Synchronization

/// A store in memory that fails at one chosen change, before it or after it, and at all that follow.
final class HurtStore: EntryStore {
    /// When the fault comes.
    enum Fault: Sendable {
        /// The n-th change does not take place.
        case before(Int)
        /// The n-th change takes place, and its caller is told otherwise.
        case after(Int)

        var number: Int {
            switch self {
            case .before(let number), .after(let number): number
            }
        }
    }

    let base: MemoryStore
    private let fault: Fault?
    private let changes = Mutex(0)

    var backend: String { base.backend }
    var location: VaultURL { base.location }
    /// How many changes were asked for.
    var count: Int { changes.withLock { $0 } }

    init(_ base: MemoryStore, _ fault: Fault? = nil) {
        self.base = base
        self.fault = fault
    }

    func entry(_ name: EntryName) async throws(VaultError) -> StoredEntry? {
        try refuseIfGone()
        return try await base.entry(name)
    }

    func entries(_ group: EntryGroup) async throws(VaultError) -> [StoredEntry] {
        try refuseIfGone()
        return try await base.entries(group)
    }

    func put(
        _ entry: Entry, expecting version: EntryVersion?, while keys: EntryVersion?
    ) async throws(VaultError) {
        let isLast = try begin()
        try await base.put(entry, expecting: version, while: keys)
        if isLast { throw Self.gone }
    }

    func remove(_ name: EntryName, expecting version: EntryVersion) async throws(VaultError) {
        let isLast = try begin()
        try await base.remove(name, expecting: version)
        if isLast { throw Self.gone }
    }

    /// Counts the change; answers whether it is the one after which everything fails.
    private func begin() throws(VaultError) -> Bool {
        let number = changes.withLock { count in
            count += 1
            return count
        }
        guard let fault, number >= fault.number else { return false }
        if case .after = fault, number == fault.number { return true }
        throw Self.gone
    }

    private func refuseIfGone() throws(VaultError) {
        guard let fault, count >= fault.number else { return }
        throw Self.gone
    }

    private static let gone = VaultError(.unavailable, "the store is gone")
}

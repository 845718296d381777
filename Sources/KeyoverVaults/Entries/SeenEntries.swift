import KeyoverCore
import KeyoverSealing
import Synchronization

/// How far each entry had come that this process or, through small files in the state folder, this host has seen.
///
/// A vault of entries has no root whose counter would tell an older copy; each entry is remembered by itself. Remembering
/// is best effort, since what it follows is durable already.
final class SeenEntries: Sendable {
    private let stateDirectory: String?
    private let vaultID: UUIDv7
    private let isBinding: Bool
    private let here = Mutex<[String: VaultMark]>([:])

    /// - Parameters:
    ///   - stateDirectory: `nil` remembers for the life of the process only.
    ///   - isBinding: Whether what was seen before this process began is held against what is there now.
    init(_ stateDirectory: String?, vaultID: UUIDv7, isBinding: Bool) {
        self.stateDirectory = stateDirectory
        self.vaultID = vaultID
        self.isBinding = isBinding
    }

    /// What an entry is remembered under.
    static func key(of lookup: [UInt8]) -> String { Hex.encode(lookup.prefix(16)) }

    /// How far an entry must have come, or `nil` when nothing is held against it.
    func floor(of lookup: [UInt8]) throws(VaultError) -> VaultMark? {
        let known = here.withLock { $0[Self.key(of: lookup)] }
        guard isBinding, let file = file(lookup), let stored = try file.read() else { return known }
        return max(known ?? stored, stored)
    }

    /// How far all entries must have come that anything is held against, by ``key(of:)``.
    func floors() throws(VaultError) -> [String: VaultMark] {
        isBinding ? try all() : here.withLock { $0 }
    }

    /// How far all entries had come that were ever seen, by ``key(of:)``.
    func all() throws(VaultError) -> [String: VaultMark] {
        var marks = here.withLock { $0 }
        guard let stateDirectory else { return marks }
        for name in FolderNames.all(in: HighWaterMark.entryFolder(stateDirectory, vaultID)) ?? [] {
            guard let lookup = Hex.decode(name), let stored = try file(lookup)?.read() else { continue }
            marks[name] = max(marks[name] ?? stored, stored)
        }
        return marks
    }

    /// Refuses an entry that is older than the mark.
    func check(_ entry: OpenedEntry, notOlderThan mark: VaultMark?) throws(VaultError) {
        guard let mark, entry.mark < mark else { return }
        throw VaultError(
            .notTrusted,
            "a record of the vault is older than it was (\(entry.mark), but \(mark) was seen on this host)",
            remedy: "if an older copy of the store was put back on purpose, accept what is there: "
                + "keyover vault restore --accept-older")
    }

    /// Remembers how far an entry has come.
    func raise(_ entry: OpenedEntry) {
        let isNews = here.withLock { marks in
            let key = Self.key(of: entry.lookup)
            if let known = marks[key], known >= entry.mark { return false }
            marks[key] = entry.mark
            return true
        }
        guard isNews, let file = file(entry.lookup) else { return }
        if let stored = try? file.read(), stored >= entry.mark { return }
        try? file.raise(to: entry.mark)
    }

    /// Forgets entries that are known to be gone for good.
    func forget(_ keys: some Sequence<String>) {
        for key in keys {
            here.withLock { $0[key] = nil }
            if let lookup = Hex.decode(key) { file(lookup)?.remove() }
        }
    }

    private func file(_ lookup: [UInt8]) -> HighWaterMark? {
        stateDirectory.map { HighWaterMark(stateDirectory: $0, vaultID: vaultID, entry: lookup) }
    }
}

public import KeyoverCore
public import KeyoverSealing
import Synchronization

/// Entries in the memory of one process, for tests: all that a store promises, but that anything lasts.
public final class MemoryStore: EntryStore {
    private struct State {
        var serial = 0
        var entries: [EntryName: StoredEntry] = [:]
    }

    /// `memory`.
    public let backend = "memory"
    /// Nowhere.
    public let location = VaultURL(scheme: "memory", location: "")
    private let state = Mutex(State())

    /// An empty store.
    public init() {}

    /// The entry of a name.
    public func entry(_ name: EntryName) async throws(VaultError) -> StoredEntry? {
        state.withLock { $0.entries[name.bare] }
    }

    /// All entries of a group.
    public func entries(_ group: EntryGroup) async throws(VaultError) -> [StoredEntry] {
        state.withLock { state in state.entries.filter { $0.key.isIn(group) }.map(\.value) }
    }

    /// Stores an entry when what is there has the expected version.
    public func put(
        _ entry: Entry, expecting version: EntryVersion?, while keys: EntryVersion?
    ) async throws(VaultError) {
        try state.withLock { state throws(VaultError) in
            if let keys, state.entries[.keys]?.version != keys { throw .rekeyedMeanwhile }
            guard state.entries[entry.name.bare]?.version == version else { throw .changedMeanwhile("an entry") }
            state.serial += 1
            state.entries[entry.name.bare] = StoredEntry(entry.bytes, EntryVersion("\(state.serial)"))
        }
    }

    /// Removes an entry when it has the expected version.
    public func remove(_ name: EntryName, expecting version: EntryVersion) async throws(VaultError) {
        try state.withLock { state throws(VaultError) in
            guard state.entries[name.bare]?.version == version else { throw .changedMeanwhile("an entry") }
            state.entries[name.bare] = nil
        }
    }
}

extension EntryName {
    /// The name without what is only there for people.
    fileprivate var bare: EntryName {
        switch self {
        case .keys, .metadataKeys: self
        case .record(let place): .record(RecordPlace(lookup: place.lookup, kind: "", name: ""))
        case .report(let place):
            .report(ReportPlace(group: place.group, place: place.place, client: "", consumer: ""))
        }
    }

    fileprivate func isIn(_ group: EntryGroup) -> Bool {
        switch (self, group) {
        case (.record, .records), (.report, .allReports): true
        case (.report(let place), .reports(let group)): place.group == group
        default: false
        }
    }
}

import KeyoverCore

/// Where entries lie under a vault's prefix: below words that are the same for every vault, only hashes.
struct EtcdKeys: Sendable {
    /// What every key begins with.
    let prefix: String

    /// The key of an entry.
    func key(_ name: EntryName) -> [UInt8] {
        let rest =
            switch name {
            case .keys: "keys"
            case .metadataKeys: "granted-keys"
            case .record(let place): "records/" + Hex.encode(place.lookup)
            case .report(let place): "reports/\(Hex.encode(place.group))/\(Hex.encode(place.place))"
            }
        return Array("\(prefix)/\(rest)".utf8)
    }

    /// What the keys of a group begin with, ending in a slash.
    func start(_ group: EntryGroup) -> [UInt8] {
        let rest =
            switch group {
            case .records: "records"
            case .allReports: "reports"
            case .reports(let group): "reports/" + Hex.encode(group)
            }
        return Array("\(prefix)/\(rest)/".utf8)
    }

    /// The first key after all that begin with a text ending in a slash.
    static func end(of start: [UInt8]) -> [UInt8] {
        start.dropLast() + [UInt8(ascii: "/") + 1]
    }
}

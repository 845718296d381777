import KeyoverCore

/// How entries appear among the items of a keyring: to people by label and names, to Keyover by place.
struct EntryItem {
    static let schema = "org.keyover.Entry"
    private static let records = "records"

    /// The name of the vault.
    let vault: String

    /// What the one item of an entry is found by.
    func place(of name: EntryName) -> [String: String] {
        switch name {
        case .keys: find(["place": "keys"])
        case .metadataKeys: find(["place": "metadata-keys"])
        case .record(let place): find(["group": Self.records, "place": Hex.encode(place.lookup)])
        case .report(let place): find(["group": Hex.encode(place.group), "place": Hex.encode(place.place)])
        }
    }

    /// What the items of a group are found by.
    func group(_ group: EntryGroup) -> [String: String] {
        switch group {
        case .records: find(["group": Self.records])
        case .reports(let client): find(["group": Hex.encode(client)])
        case .allReports: find(["type": "report"])
        }
    }

    /// What is written on the item of an entry.
    func description(of entry: Entry) -> ItemDescription {
        var attributes = place(of: entry.name)
        let label: String
        switch entry.name {
        case .keys:
            attributes["type"] = "keys"
            label = "keys of the vault"
        case .metadataKeys:
            attributes["type"] = "keys"
            label = "keys of the vault, for auditors"
        case .record(let place):
            attributes["type"] = entry.isRemoval ? "removed" : place.kind
            attributes[place.kind] = place.name
            label = entry.isRemoval ? "trace of a removed \(place.kind)" : "\(place.kind) \(place.name)"
        case .report(let place):
            attributes["type"] = "report"
            attributes["consumer"] = place.consumer
            if !place.client.isEmpty { attributes["client"] = place.client }
            label = "consumer \(place.consumer)" + (place.client.isEmpty ? "" : " of \(place.client)")
        }
        attributes["xdg:schema"] = Self.schema
        let suffix = vault == KeyringPlace.standardVault ? "" : " (vault \(vault))"
        return ItemDescription(label: "Keyover: \(label)\(suffix)", attributes: attributes)
    }

    private func find(_ attributes: [String: String]) -> [String: String] {
        attributes.merging(["application": "keyover", "vault": vault]) { $1 }
    }
}

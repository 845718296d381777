import KeyoverCompliance
import KeyoverCore
import KeyoverProviders

/// What an inventory says; `nil` for a list that it does not have.
struct Inventory: Sendable {
    var tenants: [(name: TenantName, entry: TenantEntry)]?
    var clients: [(name: ClientName, tenant: TenantName, entry: ClientEntry)]?
}

/// Reads an inventory: `version: 1`, `tenants:`, `clients:`; what is wrong is collected with its place.
struct InventoryReader {
    private(set) var inventory = Inventory()
    private(set) var mistakes = FileMistakes()

    init(parsing text: String) {
        do {
            read(try YAMLNode(parsing: text))
        } catch {
            mistakes.add(error.place, error.message)
        }
    }

    private mutating func read(_ root: YAMLNode) {
        guard case .mapping(let entries) = root.value else {
            mistakes.add(root.place, "an inventory begins with version: 1")
            return
        }
        if !entries.contains(where: { $0.key == "version" }) {
            mistakes.add(root.place, "version is missing; write version: 1")
        }
        for entry in entries {
            switch entry.key {
            case "version":
                if entry.value.text != "1" { mistakes.add(entry.value.place, "version takes 1") }
            case "tenants":
                inventory.tenants = readTenants(entry.value)
            case "clients":
                inventory.clients = readClients(entry.value)
            default:
                blame(entry, "an inventory", ["version", "tenants", "clients"])
            }
        }
    }

    private mutating func readTenants(_ node: YAMLNode) -> [(TenantName, TenantEntry)] {
        var tenants: [(TenantName, TenantEntry)] = []
        var places: [TenantName: YAMLMapping.Place] = [:]
        for item in items(of: node, "tenants") {
            let entry = read(item, TenantEntry(place: item.place), "a tenant", TenantEntry.keys)
            for key in entry.settings.keys.sorted() where Self.isSecret(key) {
                mistakes.add(entry.place, "settings hold no secrets; write admin_file: /PATH instead of \(key)")
            }
            guard let name = require(entry.name, "name", item), require(entry.provider, "provider", item) != nil else {
                continue
            }
            if let first = places[name] {
                mistakes.add(item.place, "the tenant \(name) stands on line \(first.line) already")
            } else {
                places[name] = item.place
                tenants.append((name, entry))
            }
        }
        return tenants
    }

    private mutating func readClients(_ node: YAMLNode) -> [(ClientName, TenantName, ClientEntry)] {
        var clients: [(ClientName, TenantName, ClientEntry)] = []
        var places: [ClientName: YAMLMapping.Place] = [:]
        for item in items(of: node, "clients") {
            let entry = read(item, ClientEntry(place: item.place), "a client", ClientEntry.keys)
            let tenant = require(entry.tenant, "tenant", item)
            guard let name = require(entry.name, "name", item), let tenant else { continue }
            if let first = places[name] {
                mistakes.add(item.place, "the client \(name) stands on line \(first.line) already")
            } else {
                places[name] = item.place
                clients.append((name, tenant, entry))
            }
        }
        return clients
    }

    // MARK: Keys

    private mutating func items(of node: YAMLNode, _ key: String) -> [YAMLNode] {
        guard case .list(let items) = node.value else {
            // Not the same as an empty list, which with --prune means that nothing is to be left.
            mistakes.add(node.place, "\(key) takes a list; write \(key): [] when there are none")
            return []
        }
        return items
    }

    private mutating func read<Entry>(
        _ node: YAMLNode, _ draft: Entry, _ what: String, _ keys: [InventoryKey<Entry>]
    ) -> Entry {
        guard case .mapping(let entries) = node.value else {
            mistakes.add(node.place, "\(what) is written as name: NAME and further keys below it")
            return draft
        }
        var draft = draft
        for entry in entries {
            guard let key = keys.first(where: { $0.name == entry.key }) else {
                blame(entry, what, keys.map(\.name))
                continue
            }
            if case .null = entry.value.value { continue }
            if !key.apply(entry.value, &draft) { mistakes.add(entry.value.place, "\(key.name) takes \(key.wants)") }
        }
        return draft
    }

    /// The value of a key that must be there; one that is there and wrong was blamed already.
    private mutating func require<Value>(_ value: Value?, _ key: String, _ node: YAMLNode) -> Value? {
        guard value == nil, case .mapping(let entries) = node.value else { return value }
        let given = entries.first { $0.key == key }
        if given.map({ if case .null = $0.value.value { true } else { false } }) ?? true {
            mistakes.add(node.place, "\(key) is missing")
        }
        return nil
    }

    private mutating func blame(_ entry: YAMLNode.Entry, _ what: String, _ known: [String]) {
        let key = entry.key.count > 64 ? entry.key.prefix(64) + "..." : entry.key[...]
        if Self.isSecret(entry.key) {
            let file = what == "a tenant" ? "admin_file" : "secret_file"
            mistakes.add(
                entry.place, "an inventory holds no secrets, so no \(key); write \(file): /PATH of a file of mode 0600")
        } else {
            mistakes.add(entry.place, "\(what) has no key \(key); it has: \(known.joined(separator: ", "))")
        }
    }

    private static func isSecret(_ key: String) -> Bool {
        let isSetting = ProviderRegistry.all.contains { kind in kind.settings.contains { $0.name == key } }
        guard !isSetting else { return false }
        let key = key.lowercased()
        return ["secret", "password", "passphrase", "credential", "token", "private_key", "api_key"].contains { word in
            key.contains(word)
        }
    }
}

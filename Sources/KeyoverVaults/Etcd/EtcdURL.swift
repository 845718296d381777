import KeyoverCore
import KeyoverSealing

/// What the URL of a vault in etcd says: `etcd:https://one:2379,https://two:2379/keyover/prod?stale=5m`.
struct EtcdURL: Sendable {
    private static let mostServers = 16
    private static let longestStaleness = TimeSpan.days(7)

    /// The cluster's members, in the order in which they are tried first.
    let servers: [ServerURL]
    /// What every key begins with, without a slash at its end.
    let prefix: String
    /// How old an answer may be that no quorum stands for; zero where there are none.
    let staleness: TimeSpan

    /// Reads the part after `etcd:`.
    init(_ url: VaultURL) throws(VaultError) {
        var servers: [ServerURL] = []
        let parts = url.location.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count <= Self.mostServers else {
            throw VaultError(
                .invalid, "the vault's URL names more than \(Self.mostServers) servers",
                remedy: "name a few members of the cluster")
        }
        for part in parts {
            let server = try ServerURL(part)
            guard !servers.contains(where: { $0.origin == server.origin }) else {
                throw VaultError(
                    .invalid, "the vault's URL names \(server.authority) twice", remedy: "name each member once")
            }
            if let last = servers.last, !(last.path.isEmpty && last.query.isEmpty) {
                throw VaultError(
                    .invalid,
                    "the vault's URL has a path or a query after \(last.authority), which is not the last server",
                    remedy: "write it as etcd:https://ONE:2379,https://TWO:2379/PREFIX")
            }
            servers.append(server)
        }
        self.servers = servers
        let last = servers[servers.count - 1]
        prefix = last.path.isEmpty ? "/keyover" : last.path
        guard prefix.utf8.count <= 512, Self.isPlain(prefix) else {
            throw VaultError(
                .invalid, "the prefix in the vault's URL is not made of plain words between single slashes",
                remedy: "use letters, digits and -._~ only, such as /keyover/prod")
        }
        staleness = try Self.staleness(last.query)
    }

    private static func isPlain(_ path: String) -> Bool {
        path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).allSatisfy { word in
            !word.isEmpty && word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-._~".contains($0)) }
        }
    }

    private static func staleness(_ query: [String: String]) throws(VaultError) -> TimeSpan {
        if let unknown = query.keys.filter({ $0 != "stale" }).min() {
            throw VaultError(
                .invalid, "the vault's URL has an unknown setting \(unknown.debugDescription)",
                remedy: "use stale=TIME or none")
        }
        guard let text = query["stale"] else { return .zero }
        guard let span = TimeSpan(text), span >= .zero, span <= longestStaleness else {
            throw VaultError(
                .invalid, "stale in the vault's URL is not a time of at most \(longestStaleness)",
                remedy: "write it as stale=5m")
        }
        return span
    }
}

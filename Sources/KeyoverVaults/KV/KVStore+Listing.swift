public import KeyoverCore
import KeyoverSealing

extension KVStore {
    /// How many entries a vault may have.
    private static let entryLimit = 20_000
    /// How many entries are read within the patience of one call.
    private static let batch = 500
    /// How many are read at once.
    private static let width = 8

    /// All entries of a group: their names first, then each by itself.
    ///
    /// A vault of more than 500 entries is read in several parts, each of which ends within the patience.
    public func entries(_ group: EntryGroup) async throws(VaultError) -> [StoredEntry] {
        var paths: [String] = []
        switch group {
        case .records:
            paths += try await names(in: "clients") { ClientName($0) != nil }
            paths += try await names(in: "keyover/records", where: Self.isHash)
        case .reports(let group):
            paths += try await names(in: "keyover/reports/\(Hex.encode(group))", where: Self.isHash)
        case .allReports:
            let folders = try await client.list("keyover/reports", KVDeadline(patience))
            for folder in folders where folder.hasSuffix("/") && Self.isHash(String(folder.dropLast())) {
                paths += try await names(in: "keyover/reports/\(folder.dropLast())", where: Self.isHash)
                try checkCount(paths)
            }
        }
        try checkCount(paths)
        var found: [StoredEntry] = []
        for start in stride(from: 0, to: paths.count, by: Self.batch) {
            found += try await read(Array(paths[start..<min(start + Self.batch, paths.count)]))
        }
        return found
    }

    /// The paths of the entries in a folder; names that Keyover does not give are passed over.
    private func names(
        in folder: String, where isOurs: (String) -> Bool
    ) async throws(VaultError) -> [String] {
        var seen: Set<String> = []
        return try await client.list(folder, KVDeadline(patience))
            .filter { isOurs($0) && seen.insert($0).inserted }
            .map { "\(folder)/\($0)" }
    }

    private func read(_ paths: [String]) async throws(VaultError) -> [StoredEntry] {
        let deadline = KVDeadline(patience)
        let results = await withTaskGroup(of: Result<StoredEntry?, VaultError>.self) { group in
            var rest = paths[...]
            func next() {
                guard let path = rest.popFirst() else { return }
                group.addTask { await outcome(path, deadline) }
            }
            for _ in 0..<Self.width { next() }
            var results: [Result<StoredEntry?, VaultError>] = []
            for await result in group {
                results.append(result)
                // After a failure nothing further is asked for.
                if case .failure = result { rest = [] }
                next()
            }
            return results
        }
        var found: [StoredEntry] = []
        for result in results {
            if let entry = try result.get() { found.append(entry) }
        }
        return found
    }

    private func outcome(_ path: String, _ deadline: KVDeadline) async -> Result<StoredEntry?, VaultError> {
        do throws(VaultError) {
            return .success(try await state(path, deadline).entry)
        } catch {
            return .failure(error)
        }
    }

    private func checkCount(_ paths: [String]) throws(VaultError) {
        guard paths.count <= Self.entryLimit else {
            throw VaultError(
                .tooLarge, "\(client.location.url) has more than \(Self.entryLimit) entries",
                remedy: "spread the clients over several vaults, each under a prefix of its own")
        }
    }

    private static func isHash(_ name: String) -> Bool { name.count == 64 && Hex.decode(name) != nil }
}

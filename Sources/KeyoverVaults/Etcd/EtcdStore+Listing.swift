import FoundationEssentials
public import KeyoverCore

extension EtcdStore {
    private static var mostEntries: Int { 200_000 }
    private static var mostBytes: Int { 512 << 20 }
    private static var largestPage: Int64 { 1024 }

    /// All entries of a group, as they were at one revision.
    public func entries(_ group: EntryGroup) async throws(VaultError) -> [StoredEntry] {
        try await listing(group).entries
    }

    /// All entries of a group, and the revision at which they were so.
    func listing(_ group: EntryGroup) async throws(VaultError) -> (entries: [StoredEntry], revision: Int64) {
        let deadline = Deadline(patience)
        while true {
            do throws(EtcdFailure) {
                return try await pages(of: group, deadline)
            } catch {
                // The history up to a later revision was thrown away meanwhile: once more from the beginning.
                guard error.kind == .compacted, deadline.left > .zero else { throw error.error }
            }
        }
    }

    private func pages(
        of group: EntryGroup, _ deadline: Deadline
    ) async throws(EtcdFailure) -> (entries: [StoredEntry], revision: Int64) {
        let start = keys.start(group)
        var request = EtcdRangeRequest(key: Data(start), rangeEnd: Data(EtcdKeys.end(of: start)))
        var (entries, byteCount) = ([StoredEntry](), 0)
        var last: Data?
        // How large entries are is not known before: pages shrink when they are too large, and grow when they are small.
        var limit: Int64 = 64
        while true {
            request.limit = EtcdInteger(limit)
            let answer: EtcdRangeAnswer
            do throws(EtcdFailure) {
                answer = try await range(request, deadline)
            } catch {
                guard error.kind == .tooLong, limit > 1 else { throw error }
                limit = max(1, limit / 8)
                continue
            }
            guard let revision = request.revision ?? answer.header.revision else {
                throw EtcdFailure(.refused, Self.confused)
            }
            request.revision = revision
            var pageBytes = 0
            for found in answer.kvs ?? [] {
                guard found.key.starts(with: start), last.map({ $0.lexicographicallyPrecedes(found.key) }) ?? true
                else { throw EtcdFailure(.refused, Self.confused) }
                last = found.key
                pageBytes += found.value?.count ?? 0
                entries.append(StoredEntry(found))
            }
            byteCount += pageBytes
            guard entries.count <= Self.mostEntries, byteCount <= Self.mostBytes else {
                throw EtcdFailure(
                    .refused,
                    VaultError(
                        .tooLarge, "the vault has more than \(Self.mostEntries) entries or \(Self.mostBytes) bytes",
                        remedy: "split it, with another prefix for each part"))
            }
            guard answer.more == true, let last else { return (entries, revision.value) }
            request.key = last + [0]
            if pageBytes < 1 << 20 { limit = min(limit * 2, Self.largestPage) }
        }
    }
}

import FoundationEssentials
public import KeyoverCore
public import KeyoverSealing
import Synchronization

/// Entries in an etcd cluster, through its JSON gateway: one key an entry, each swapped by its revision.
///
/// Reads are linearizable: they show every change that was acknowledged before. Where the vault's URL and the caller allow
/// it, a read that no quorum answers is answered by what one member has, if that is fresh enough (``EtcdFreshness``).
public final class EtcdStore: WatchableStore, StaleReadingStore {
    /// `etcd`.
    public let backend = EtcdBackend.scheme
    /// The place, for people.
    public let location: VaultURL
    /// How old an answer may be that no quorum stands for; zero where there are none.
    public let longestStaleness: TimeSpan
    /// How old the oldest such answer of this handle may have been.
    public var staleness: TimeSpan? { oldest.withLock { $0 } }

    let client: EtcdClient
    let keys: EtcdKeys
    let patience: TimeSpan
    private let freshness: EtcdFreshness?
    private let acceptsStale: Bool
    private let oldest = Mutex<TimeSpan?>(nil)
    /// When this handle last had to do without a quorum.
    private let lostQuorum = Mutex<ContinuousClock.Instant?>(nil)

    /// - Parameter silence: How long a watch may tell nothing before another one takes its place.
    init(_ url: VaultURL, _ reach: VaultReach, silence: TimeSpan = .seconds(20)) throws(VaultError) {
        let parsed = try EtcdURL(url)
        location = url
        longestStaleness = parsed.staleness
        keys = EtcdKeys(prefix: parsed.prefix)
        client = try EtcdClient(parsed.servers, reach, silence: silence)
        patience = reach.patience
        freshness = parsed.staleness > .zero ? EtcdFreshness(reach.stateDirectory) : nil
        acceptsStale = reach.acceptsStale && freshness != nil
    }

    /// The entry of a name, or `nil` when there is none.
    public func entry(_ name: EntryName) async throws(VaultError) -> StoredEntry? {
        let key = Data(keys.key(name))
        let answer: EtcdRangeAnswer
        do throws(EtcdFailure) {
            answer = try await range(EtcdRangeRequest(key: key), Deadline(patience))
        } catch {
            throw error.error
        }
        guard let found = answer.kvs?.first else { return nil }
        guard answer.kvs?.count == 1, found.key == key else { throw Self.confused }
        return StoredEntry(found)
    }

    /// Stores an entry when what is there has the expected version.
    public func put(
        _ entry: Entry, expecting version: EntryVersion?, while keysVersion: EntryVersion?
    ) async throws(VaultError) {
        let key = keys.key(entry.name)
        let put = EtcdTransaction.Operation.Put(key: Data(key), value: Data(entry.bytes))
        try await change(key, .init(put: put), expecting: version, while: keysVersion)
    }

    /// Removes an entry when it has the expected version.
    public func remove(_ name: EntryName, expecting version: EntryVersion) async throws(VaultError) {
        let key = keys.key(name)
        try await change(key, .init(delete: .init(key: Data(key))), expecting: version, while: nil)
    }

    /// One transaction: the step, or, when something is not as expected, a look at what is not.
    private func change(
        _ key: [UInt8], _ step: EtcdTransaction.Operation, expecting version: EntryVersion?,
        while keysVersion: EntryVersion?
    ) async throws(VaultError) {
        let keysKey = keys.key(.keys)
        var transaction = EtcdTransaction(
            compare: [.init(key, try Self.revision(version))], success: [step], failure: [])
        if let keysVersion {
            transaction.compare.append(.init(keysKey, try Self.revision(keysVersion)))
            transaction.failure.append(.init(range: EtcdRangeRequest(key: Data(keysKey), keysOnly: true)))
        }
        let call = try EtcdCall("/v3/kv/txn", transaction, isWrite: true)
        let askedAt = BootClock.now()
        let answer: EtcdTransactionAnswer
        do throws(EtcdFailure) {
            answer = try await client.answer(call)
        } catch {
            throw error.error
        }
        freshness?.note(answer.header, askedAt: askedAt)
        guard answer.succeeded != true else { return }
        if let keysVersion {
            let present = answer.responses?.first?.range?.kvs?.first?.modRevision.value ?? 0
            guard try Self.revision(keysVersion) == present else { throw .rekeyedMeanwhile }
        }
        throw .changedMeanwhile("an entry")
    }

    /// One range of keys, from the quorum or, where that is allowed and nothing else is left, from a member.
    func range(_ request: EtcdRangeRequest, _ deadline: Deadline) async throws(EtcdFailure) -> EtcdRangeAnswer {
        do throws(EtcdFailure) {
            let askedAt = BootClock.now()
            let answer: EtcdRangeAnswer = try await client.answer(
                Self.call(request), within: acceptsStale ? quorumShare(of: deadline.left) : deadline.left)
            freshness?.note(answer.header, askedAt: askedAt)
            return answer
        } catch {
            guard acceptsStale, error.error.code == .unavailable, let freshness else { throw error }
            return try await staleRange(request, deadline, freshness, insteadOf: error)
        }
    }

    /// What one member has, when it has at least what the quorum had at the last contact, and that was not long ago.
    private func staleRange(
        _ request: EtcdRangeRequest, _ deadline: Deadline, _ freshness: EtcdFreshness, insteadOf failure: EtcdFailure
    ) async throws(EtcdFailure) -> EtcdRangeAnswer {
        lostQuorum.withLock { $0 = .now }
        var request = request
        request.serializable = true
        let bound = longestStaleness
        let answer: EtcdRangeAnswer
        do throws(EtcdFailure) {
            answer = try await client.answer(Self.call(request), within: deadline.left) {
                freshness.age(of: $0.header, atMost: bound) != nil
            }
        } catch {
            throw error.error.isRetryable ? failure : error
        }
        guard let age = freshness.age(of: answer.header, atMost: bound) else { throw failure }
        oldest.withLock { $0 = max($0 ?? age, age) }
        return answer
    }

    /// How long to wait for a quorum while a member could answer: the less, the less likely there is one.
    private func quorumShare(of left: TimeSpan) -> TimeSpan {
        let isLost = lostQuorum.withLock { $0 }.map { $0.duration(to: .now) < .seconds(10) } ?? false
        return TimeSpan(milliseconds: left.milliseconds / (isLost ? 10 : 2))
    }

    private static func call(_ request: EtcdRangeRequest) throws(EtcdFailure) -> EtcdCall {
        do throws(VaultError) {
            return try EtcdCall("/v3/kv/range", request)
        } catch {
            throw EtcdFailure(.refused, error)
        }
    }

    private static func revision(_ version: EntryVersion?) throws(VaultError) -> Int64 {
        guard let version else { return 0 }
        guard let revision = Int64(version.description), revision > 0 else { throw .changedMeanwhile("an entry") }
        return revision
    }

    /// What is thrown when etcd answers something that was not asked for.
    static let confused = VaultError.tampered("etcd answered with other keys than it was asked for")
}

extension StoredEntry {
    /// An entry as etcd has it.
    init(_ found: EtcdKeyValue) {
        self.init(found.value.map { Array($0) } ?? [], EntryVersion(String(found.modRevision.value)))
    }
}

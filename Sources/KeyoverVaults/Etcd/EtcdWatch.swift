import FoundationEssentials
import KeyoverCore

extension EtcdStore {
    /// The blob of each record that there is, and then of each that changes.
    public func changedRecords() -> AsyncThrowingStream<[UInt8], any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                await EtcdWatch(self).run {
                    continuation.yield($0)
                } whenDone: {
                    continuation.finish(throwing: $0)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}

/// Follows the records of a store through everything that ends a watch.
///
/// A watch goes on from the revision after the last one that was handed on. Where the history before that is gone, or is
/// another one, everything begins anew with all records. A watch that tells nothing for a while is replaced by one at the
/// next member: its connection may be dead, or its member cut off.
private final class EtcdWatch {
    private static let firstPause = TimeSpan.milliseconds(100)
    private static let longestPause = TimeSpan.seconds(5)

    /// Why a watch is given up.
    private enum Ending: Error {
        /// Begin with all records.
        case historyIsGone
        /// Go on at another member.
        case refused
    }

    private let store: EtcdStore
    private let start: [UInt8]
    /// The first revision that was not handed on; `nil` while all records have to be.
    private var next: Int64?
    private var pause = firstPause

    init(_ store: EtcdStore) {
        self.store = store
        start = store.keys.start(.records)
    }

    /// Runs until the task is cancelled or no waiting will help.
    func run(_ yield: ([UInt8]) -> Void, whenDone finish: (any Error) -> Void) async {
        while !Task.isCancelled {
            if next == nil {
                do throws(VaultError) {
                    let (entries, revision) = try await store.listing(.records)
                    for entry in entries { yield(entry.bytes) }
                    next = revision + 1
                } catch {
                    guard error.isRetryable else { return finish(error) }
                    await rest()
                    continue
                }
            }
            await follow(yield)
        }
        finish(CancellationError())
    }

    /// One watch at one member, until it ends.
    private func follow(_ yield: ([UInt8]) -> Void) async {
        guard let from = next, let server = store.client.order.first else { return }
        do {
            let request = EtcdWatchRequest(
                create: .init(
                    key: Data(start), rangeEnd: Data(EtcdKeys.end(of: start)), startRevision: EtcdInteger(from)))
            let token = store.client.session.token
            let stream = try await store.client.stream(EtcdCall("/v3/watch", request), from: server)
            try await stream.forEachLine { line in
                guard let said = StoreJSON.object(EtcdWatchLine.self, from: line)?.result else { throw Ending.refused }
                if said.canceled == true {
                    // A token that has expired ends a watch too, and etcd does not say so.
                    if said.compactRevision == nil { store.client.session.drop(token) }
                    throw said.compactRevision == nil ? Ending.refused : Ending.historyIsGone
                }
                if said.created == true { try await checkHistory(said.header, from) }
                handOn(said, yield)
                pause = Self.firstPause
            }
        } catch Ending.historyIsGone {
            next = nil
            return
        } catch {
            let known = (error as? EtcdFailure)?.error ?? (error as? StoreFailure)?.error
            // What does not pass by itself shows again when all records are read, and ends everything there.
            if known?.isRetryable == false { next = nil }
        }
        store.client.avoid(server)
        await rest()
    }

    private func handOn(_ said: EtcdWatchLine.Result, _ yield: ([UInt8]) -> Void) {
        for event in said.events ?? [] {
            guard let changed = event.kv, changed.key.starts(with: start) else { continue }
            if let value = changed.value { yield(Array(value)) }
            // Of a revision that comes in pieces the rest is still missing.
            let after = changed.modRevision.value + (said.fragment == true ? 0 : 1)
            next = max(next ?? after, after)
        }
    }

    /// Finds out whether a member that has fewer revisions than were handed on is only late, or tells another history, as
    /// after an older snapshot was put back.
    private func checkHistory(_ header: EtcdHeader?, _ from: Int64) async throws {
        guard let revision = header?.revision?.value, revision + 1 < from else { return }
        var request = EtcdRangeRequest(key: Data(store.keys.key(.keys)), keysOnly: true)
        request.limit = EtcdInteger(1)
        let answer = try await store.range(request, Deadline(store.patience))
        guard let present = answer.header.revision?.value, present + 1 >= from else { throw Ending.historyIsGone }
    }

    private func rest() async {
        let time = TimeSpan.milliseconds(.random(in: pause.milliseconds / 2...pause.milliseconds))
        pause = min(pause * 2, Self.longestPause)
        try? await Task.sleep(for: time.duration)
    }
}

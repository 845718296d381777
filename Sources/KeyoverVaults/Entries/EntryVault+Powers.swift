public import KeyoverCore
import KeyoverSealing

extension EntryVault: WatchableVault where Store: WatchableStore {
    /// A name of a client each time its record changed; what a change was about has to be read.
    public func changes() -> AsyncThrowingStream<ClientName, any Error> {
        let blobs = store.changedRecords()
        return AsyncThrowingStream { continuation in
            let task = Task { [sealing] in
                do {
                    for try await blob in blobs {
                        let subject = try sealing.subject(of: sealing.open(blob, at: nil))
                        guard subject.kind == ClientRecord.kind, let name = ClientName(subject.name) else { continue }
                        continuation.yield(name)
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}

extension EntryVault: StaleReadingVault where Store: StaleReadingStore {
    /// How old an answer may be that was not proven to be the newest.
    public var longestStaleness: TimeSpan { store.longestStaleness }
    /// How old the oldest such answer may have been.
    public var staleness: TimeSpan? { store.staleness }
}

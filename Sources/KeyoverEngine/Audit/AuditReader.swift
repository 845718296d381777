public import KeyoverCore
import Synchronization

/// Reads the entries of a host's audit log, oldest first, for people to look at.
///
/// It shows what is in the file and proves nothing: that is what ``AuditVerifier`` is for. Lines that hold no entry are
/// passed over.
public struct AuditReader: Sendable {
    private let location: AuditFile.Location

    /// A reader of a host's log in a state directory.
    public init(stateDirectory: String, host: Name<HostRecord>) {
        location = AuditFile.Location(stateDirectory: stateDirectory, host: host)
    }

    /// The entries of a client, or of all, from a moment on; entries about the log itself only among those of all.
    public func entries(of client: ClientName? = nil, since moment: Timestamp? = nil) -> AuditEntries {
        AuditEntries(location, AuditFilter(client: client, since: moment), pause: nil)
    }

    /// The same, and then, until the task is cancelled, the entries that are added; looked for at every pause.
    public func follow(
        of client: ClientName? = nil, since moment: Timestamp? = nil, every pause: TimeSpan = .milliseconds(500)
    ) -> AuditEntries {
        AuditEntries(location, AuditFilter(client: client, since: moment), pause: pause)
    }
}

/// Which entries to show.
struct AuditFilter: Sendable {
    let client: ClientName?
    let since: Timestamp?

    func lets(_ entry: AuditEntry) -> Bool {
        if let since, entry.time < since { return false }
        guard let client else { return true }
        return entry.client == client && !entry.isAboutTheLog
    }
}

/// Entries of an audit log as they are read.
public struct AuditEntries: AsyncSequence, Sendable {
    /// One entry of the log.
    public typealias Element = AuditEntry
    /// What stands in the way of reading.
    public typealias Failure = AuditError

    private let location: AuditFile.Location
    private let filter: AuditFilter
    private let pause: TimeSpan?

    init(_ location: AuditFile.Location, _ filter: AuditFilter, pause: TimeSpan?) {
        self.location = location
        self.filter = filter
        self.pause = pause
    }

    /// Starts reading at the first line.
    public func makeAsyncIterator() -> Iterator {
        Iterator(source: AuditEntrySource(location, filter), pause: pause)
    }

    /// Reads batch by batch.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let source: AuditEntrySource
        fileprivate let pause: TimeSpan?
        private var batch: ArraySlice<AuditEntry> = []

        fileprivate init(source: AuditEntrySource, pause: TimeSpan?) {
            self.source = source
            self.pause = pause
        }

        /// The next entry; `nil` at the end, or when a task that follows is cancelled.
        public mutating func next() async throws(AuditError) -> AuditEntry? {
            try await next(isolation: nil)
        }

        /// The next entry; `nil` at the end, or when a task that follows is cancelled.
        public mutating func next(
            isolation actor: isolated (any _Concurrency.Actor)?
        ) async throws(AuditError) -> AuditEntry? {
            while true {
                if let entry = batch.popFirst() { return entry }
                if Task.isCancelled { return nil }
                let found = try await source.read()
                batch = found.entries[...]
                guard found.isAtEnd, batch.isEmpty else { continue }
                guard let pause, (try? await Task.sleep(for: pause.duration)) != nil else { return nil }
            }
        }
    }
}

/// The place in a log that an iterator has come to.
private final class AuditEntrySource: Sendable {
    struct Batch: Sendable {
        var entries: [AuditEntry] = []
        var isAtEnd = false
    }

    /// How many lines are read before the entries among them are handed on.
    private static let lineCount = 512

    private struct Place: ~Copyable {
        var reader: AuditLineReader?
    }

    private let location: AuditFile.Location
    private let filter: AuditFilter
    private let lane = BlockingLane("audit.read")
    private let place = Mutex(Place(reader: nil))

    init(_ location: AuditFile.Location, _ filter: AuditFilter) {
        self.location = location
        self.filter = filter
    }

    func read() async throws(AuditError) -> Batch {
        let result = await lane.run { [self] in
            place.withLock { place in Result { () throws(AuditError) in try read(&place) } }
        }
        return try result.get()
    }

    private func read(_ place: inout Place) throws(AuditError) -> Batch {
        var batch = Batch()
        guard var reader = try resume(&place) else {
            batch.isAtEnd = true
            return batch
        }
        for _ in 0..<Self.lineCount {
            switch try reader.next() {
            case .line(let bytes):
                guard let line = AuditLine(bytes), let entry = AuditEncoding.entry(from: line.entry) else { continue }
                if filter.lets(entry) { batch.entries.append(entry) }
            case .tooLong: throw .notALog(location.path)
            case .end: batch.isAtEnd = true
            }
            if batch.isAtEnd { break }
        }
        // A log that was moved away has a successor under its name.
        if batch.isAtEnd, let successor = try AuditFile.reading(location),
            successor.identity != reader.fileIdentity || successor.size < reader.offset
        {
            reader = AuditLineReader(successor)
        }
        place.reader = consume reader
        return batch
    }

    /// Goes on where the last batch ended, or at the beginning of a log that is new.
    private func resume(_ place: inout Place) throws(AuditError) -> AuditLineReader? {
        if let reader = place.reader.take() { return reader }
        guard let file = try AuditFile.reading(location) else { return nil }
        return AuditLineReader(file)
    }
}

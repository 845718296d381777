import Glibc
import KeyoverCore
import Synchronization
import Testing

@testable import KeyoverEngine

@Suite struct AuditReaderTests {
    private let fixture: LogFixture
    private let billing: EntryMaker
    private let mail: EntryMaker

    init() throws {
        fixture = try LogFixture()
        billing = try EntryMaker("billing", 1)
        mail = try EntryMaker("mail", 2)
    }

    private var reader: AuditReader { AuditReader(stateDirectory: fixture.folder.path + "/state", host: fixture.host) }

    private func collect(_ entries: AuditEntries) async throws -> [AuditEntry] {
        try await entries.reduce(into: []) { $0.append($1) }
    }

    @Test func logThatIsNotThereHasNoEntries() async throws {
        #expect(try await collect(reader.entries()).isEmpty)
    }

    @Test func entriesAreFilteredByClientAndTime() async throws {
        try await fixture.log().append(billing.entries(1...3) + mail.entries(1...3))
        #expect(try await collect(reader.entries(of: mail.client)) == mail.entries(1...3))
        let moment = billing.entry(2).time
        #expect(try await collect(reader.entries(of: billing.client, since: moment)) == billing.entries(2...3))
        #expect(try await collect(reader.entries(since: moment)).count == 4)
    }

    @Test func moreEntriesThanOneBatchAreReadInOrder() async throws {
        try await fixture.log().append(billing.entries(1...1500))
        #expect(try await collect(reader.entries()) == billing.entries(1...1500))
    }

    @Test func followSeesWhatIsAddedAndWhatReplacesTheFile() async throws {
        let seen = SeenEntries()
        let entries = reader.follow(every: .milliseconds(5))
        let (fixture, billing, mail) = (fixture, billing, mail)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for try await entry in entries { seen.add(entry) }
            }
            try await fixture.log().append(billing.entries(1...2))
            try await eventually("both are seen") { seen.names.count == 2 }
            try await fixture.log().append([billing.entry(3)])
            try await eventually("the third is seen") { seen.names.count == 3 }
            rename(fixture.path, fixture.path + ".old")
            try await fixture.log().append([mail.entry(1)])
            try await eventually("the successor is read") { seen.names.last == "mail 1" }
            group.cancelAll()
        }
        #expect(seen.names == ["billing 1", "billing 2", "billing 3", "mail 1"])
    }
}

/// What has come out of a log so far.
private final class SeenEntries: Sendable {
    private let list = Mutex<[String]>([])

    var names: [String] { list.withLock { $0 } }

    func add(_ entry: AuditEntry) {
        list.withLock { $0.append("\(entry.client) \(entry.sequence)") }
    }
}

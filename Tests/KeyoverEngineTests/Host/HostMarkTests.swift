import Glibc
import KeyoverCore
import Synchronization
import Testing

@testable import KeyoverEngine

@Suite struct HostMarkTests {
    private let fixture: LogFixture
    private let billing: EntryMaker
    private let vault = MarkVault()

    init() throws {
        fixture = try LogFixture()
        billing = try EntryMaker("billing")
    }

    private var mark: HostMark { HostMark(vault: vault, log: fixture.log()) }

    @Test func emptyLogLeavesNoMark() async throws {
        #expect(try await mark.update() == .empty)
        #expect(vault.record == nil)
    }

    @Test func markFollowsTheLog() async throws {
        for sequence in UInt64(1)...3 {
            try await fixture.log().append([billing.entry(sequence)])
            let head = try await mark.update()
            #expect(head.count == sequence)
            #expect(vault.record?.auditCount == sequence && vault.record?.auditHead == head.mac)
        }
        let writes = vault.writes
        try await mark.update()
        #expect(vault.writes == writes, "nothing new, nothing written")
        #expect(try await fixture.verifier().verify(mark: vault.record).isWhole)
    }

    @Test func conflictIsReadAgain() async throws {
        try await fixture.log().append([billing.entry(1)])
        vault.conflicts = 3
        try await mark.update()
        #expect(vault.record?.auditCount == 1)
        vault.conflicts = 100
        try await fixture.log().append([billing.entry(2)])
        let error = await #expect(throws: VaultError.self) { try await mark.update() }
        #expect(error?.code == .conflict)
    }

    @Test func logCutShortDoesNotLowerTheMark() async throws {
        try await fixture.log().append(billing.entries(1...5))
        try await mark.update()
        try fixture.replace(Array(fixture.lines().prefix(2)))
        let error = await #expect(throws: AuditError.self) { try await mark.update() }
        #expect(error?.code == .brokenChain)
        #expect(vault.record?.auditCount == 5)
        // Writing on until the log is longer again does not help either.
        try await fixture.log().append(billing.entries(6...12))
        await #expect(throws: AuditError.self) { try await mark.update() }
        #expect(vault.record?.auditCount == 5)
        try await mark.update(startingAnew: true)
        #expect(vault.record?.auditCount == 9)
    }

    @Test func journalIsToldTheHead() async throws {
        let path = fixture.folder.path + "/journal"
        let receiver = try DatagramReceiver(path)
        try await fixture.log().append([billing.entry(1)])
        let mark = HostMark(
            vault: vault, log: fixture.log(), clock: SystemClock(), randomness: SystemRandomness(), journal: path)
        let head = try await mark.update()
        let message = receiver.receive()
        #expect(message.contains("\nKEYOVER_AUDIT_HEAD=\(head)\n"))
        #expect(message.hasPrefix("MESSAGE=") && message.contains("\nSYSLOG_IDENTIFIER=keyover\n"))
    }

    @Test func newlineInAFieldBeginsNoOther() throws {
        let path = fixture.folder.path + "/journal"
        let receiver = try DatagramReceiver(path)
        #expect(JournalSocket.send([(name: "MESSAGE", value: "a\nPRIORITY=0\r\nX=1")], to: path))
        #expect(receiver.receive() == "MESSAGE=a PRIORITY=0 X=1\n")
    }

    @Test func absentOrFullJournalIsNoHindrance() throws {
        #expect(!JournalSocket.send([(name: "MESSAGE", value: "a")], to: fixture.folder.path + "/none"))
        let path = fixture.folder.path + "/journal"
        let receiver = try DatagramReceiver(path)
        var sent = 0
        while sent < 100_000, JournalSocket.send([(name: "MESSAGE", value: "a")], to: path) { sent += 1 }
        #expect(sent < 100_000, "a journal that takes nothing more is not waited for")
        withExtendedLifetime(receiver) {}
    }
}

/// A socket in the journal's place.
private final class DatagramReceiver: Sendable {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let descriptor = descriptor
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
    }

    deinit {
        close(descriptor)
    }

    func receive() -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}

/// The part of a vault that a host's mark needs, with conflicts at will.
private final class MarkVault: Vault {
    private struct State {
        var record: HostRecord?
        var revision = 0
        var writes = 0
        var conflicts = 0
    }

    private let state = Mutex(State())
    let id = "mark"
    let backend = "test"

    var record: HostRecord? { state.withLock { $0.record } }
    var writes: Int { state.withLock { $0.writes } }
    var conflicts: Int {
        get { state.withLock { $0.conflicts } }
        set { state.withLock { $0.conflicts = newValue } }
    }

    func read<Record: VaultRecord>(_ name: Name<Record>) async throws(VaultError) -> Versioned<Record>? {
        state.withLock { state in
            (state.record as? Record).map { Versioned($0, Revision(String(state.revision))) }
        }
    }

    func write<Record: VaultRecord>(
        _ record: Record, expecting revision: Revision?
    ) async throws(VaultError) -> Revision {
        let written: Revision? = state.withLock { state in
            let current = state.record.map { _ in Revision(String(state.revision)) }
            if state.conflicts > 0 {
                state.conflicts -= 1
                return nil
            }
            guard revision == current, let record = record as? HostRecord else { return nil }
            state.record = record
            state.revision += 1
            state.writes += 1
            return Revision(String(state.revision))
        }
        guard let written else { throw VaultError(.conflict, "conflict") }
        return written
    }

    func delete<Record: VaultRecord>(_ name: Name<Record>, expecting revision: Revision) async throws(VaultError) {}
    func summaries<Record: VaultRecord>(_ type: Record.Type) async throws(VaultError) -> [Versioned<Record>] { [] }
    func acknowledge(_ entry: LedgerEntry, of client: ClientName) async throws(VaultError) {}
    func ledger(of client: ClientName) async throws(VaultError) -> [LedgerEntry] { [] }
    func forget(_ consumer: ConsumerName, of client: ClientName) async throws(VaultError) {}

    func derivedKey(for purpose: KeyPurpose) async throws(VaultError) -> SecretValue {
        SecretValue(copying: [UInt8](repeating: 7, count: 32))
    }
}

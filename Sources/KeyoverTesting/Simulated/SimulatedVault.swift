internal import KeyoverCore

/// What the vault durably holds.
struct VaultStore {
    /// The one client of the simulation as it is stored.
    private(set) var record: ClientRecord
    private(set) var revision = 1
    var ledger: [LedgerEntry] = []
    /// Fingerprints of values that the backend gives back otherwise than it got them.
    var mangled: Set<Fingerprint> = []
    /// The true time at which traffic last moved.
    private(set) var switchedAt: Int64 = 0
    /// How many rotations were begun.
    private(set) var rotationCount = 0

    init() {
        record = ClientRecord(
            id: Self.recordID, name: Self.client, registration: Registration(tenant: Self.tenant),
            primary: Slot(
                clientID: "client-1", value: SecretValue(copying: []), fingerprint: Fingerprint(bytes: [0]),
                storedAt: Timestamp(millisecondsSinceEpoch: SimulatedHost.epoch)),
            createdAt: Timestamp(millisecondsSinceEpoch: SimulatedHost.epoch))
    }

    static let client = named("billing-sync", of: ClientRecord.self)
    static let tenant = named("simulated", of: TenantRecord.self)

    /// A name that is known to be well-formed.
    static func named<Subject>(_ text: String, of: Subject.Type) -> Name<Subject> {
        guard let name = Name<Subject>(text) else { preconditionFailure("\(text) is no name") }
        return name
    }

    private static var recordID: UUIDv7 {
        var generator = CountingGenerator()
        return UUIDv7(at: Timestamp(millisecondsSinceEpoch: SimulatedHost.epoch), using: &generator)
    }

    private struct CountingGenerator: RandomNumberGenerator {
        var count: UInt64 = 0
        mutating func next() -> UInt64 {
            count += 1
            return count
        }
    }

    mutating func replace(with next: ClientRecord, at now: Int64) {
        if next.generation != record.generation { switchedAt = now }
        if next.rotation?.id != record.rotation?.id, next.rotation != nil { rotationCount += 1 }
        record = next
        revision += 1
    }

    /// A backup takes the place of everything; a revision is never used twice.
    mutating func restore(_ backup: ClientRecord, _ ledger: [LedgerEntry], at now: Int64) {
        switchedAt = now
        record = backup
        self.ledger = ledger
        revision += 1
    }

    /// The record as the backend gives it back.
    var given: ClientRecord {
        guard !mangled.isEmpty else { return record }
        var result = record
        for slot in SlotName.allCases where result[slot].map({ mangled.contains($0.fingerprint) }) ?? false {
            result[slot]?.value = SecretValue(copying: Array("mangled".utf8))
        }
        return result
    }
}

/// The vault as one process sees it.
struct SimulatedVault: Vault {
    let simulation: Simulation
    let process: SimulatedProcess

    let id = "simulated"
    let backend = "simulated"

    func read<Record: VaultRecord>(_ name: Name<Record>) async throws(VaultError) -> Versioned<Record>? {
        try await arrive()
        guard let record = simulation.store.given as? Record, record.name == name else { return nil }
        let revision = simulation.revision
        await simulation.pass(simulation.generator.within(0...5), process)
        return Versioned(record, revision)
    }

    func write<Record: VaultRecord>(
        _ record: Record, expecting revision: Revision?
    ) async throws(VaultError) -> Revision {
        try await arrive()
        guard let record = record as? ClientRecord else { throw VaultError(.invalid, "only clients are simulated") }
        if simulation.strikes(.adminEdit) { simulation.editRegistration() }
        if simulation.strikes(.crashBeforeStore) { await die() }
        guard revision == simulation.revision else {
            throw VaultError(.conflict, "the client changed", isRetryable: true)
        }
        simulation.commit(record, by: process)
        let committed = simulation.revision
        if simulation.strikes(.crashAfterStore) { await die() }
        let isSilent = simulation.strikes(.vaultSilentAfter)
        await simulation.pass(isSilent ? 5000 : simulation.generator.within(0...5), process)
        if isSilent { throw silence }
        return committed
    }

    func delete<Record: VaultRecord>(_ name: Name<Record>, expecting: Revision) async throws(VaultError) {
        throw VaultError(.invalid, "nothing is deleted in a simulation")
    }

    func summaries<Record: VaultRecord>(_ type: Record.Type) async throws(VaultError) -> [Versioned<Record>] { [] }

    func acknowledge(_ entry: LedgerEntry, of client: ClientName) async throws(VaultError) {
        throw VaultError(.invalid, "runners acknowledge nothing")
    }

    func ledger(of client: ClientName) async throws(VaultError) -> [LedgerEntry] {
        try await arrive()
        return simulation.store.ledger
    }

    func forget(_ consumer: ConsumerName, of client: ClientName) async throws(VaultError) {
        throw VaultError(.invalid, "runners forget nobody")
    }

    func derivedKey(for purpose: KeyPurpose) async throws(VaultError) -> SecretValue {
        // The client is adopted before time begins.
        if process.number > 0 { try await arrive() }
        return SecretValue(copying: Array("a key of exactly thirty-two byte".utf8))
    }

    private var silence: VaultError {
        VaultError(.unavailable, "the vault does not answer", isRetryable: true)
    }

    /// The way of a call to the vault; it may not arrive.
    private func arrive() async throws(VaultError) {
        await simulation.pass(simulation.generator.within(0...5), process)
        if simulation.isOver { throw VaultError(.locked, "the simulation is over") }
        if simulation.strikes(.vaultSilentBefore) {
            await simulation.pass(5000, process)
            throw silence
        }
    }

    /// The process dies here and never returns.
    private func die() async {
        simulation.crash(process)
        await simulation.pass(0, process)
    }
}

extension Simulation {
    var revision: Revision { Revision(String(store.revision)) }

    /// One compare-and-swap took place.
    func commit(_ next: ClientRecord, by process: SimulatedProcess?) {
        let old = store.record
        store.replace(with: next, at: now)
        happened(Self.describe(old, next, by: process))
        if let value = next.secondary, value.fingerprint != old.secondary?.fingerprint, strikes(.valueMangled) {
            store.mangled.insert(value.fingerprint)
        }
        for checker in checkers { checker.stored(old, next, by: process, in: self) }
    }

    /// An admin edits the client: a read, a change and a swap of her own, in one moment.
    func editRegistration() {
        var next = store.record
        people.edits += 1
        next.registration.labels["edit-\(people.edits)"] = "done"
        next.note(
            "client.edited", ["edit": String(people.edits)], actor: Actor(uid: 1000, host: "desk"),
            at: Timestamp(millisecondsSinceEpoch: SimulatedHost.epoch + now))
        commit(next, by: nil)
    }

    private static func describe(_ old: ClientRecord, _ next: ClientRecord, by process: SimulatedProcess?) -> String {
        let actor = process?.description ?? "an admin"
        let words = next.outbox.filter { $0.sequence > old.auditSequence }.map { entry in
            let details = entry.details.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return "\(entry.action)(\(details.joined(separator: ", ")))"
        }
        let waiting = next.rotation?.waiting.map { "; waits: \($0.message)" } ?? ""
        let stage = next.rotation?.stage.rawValue ?? "idle"
        let claim = next.rotation?.claim.map { "claim \($0.nonce.prefix(4))" } ?? "no claim"
        return
            "stored by \(actor): \(stage), active \(next.active), \(claim): \(words.joined(separator: " "))\(waiting)"
    }
}

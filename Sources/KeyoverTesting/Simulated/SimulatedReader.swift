internal import KeyoverCore

/// Somebody who uses the client's secret: asks the vault, keeps the answer for at most what was declared, exchanges.
final class SimulatedReader {
    /// The name in the ledger; `nil` for an anonymous reader of `get`.
    let name: ConsumerName?
    let host: SimulatedHost
    /// How often it asks.
    let interval: Int64
    let lease: TimeSpan
    /// What it holds, and since when.
    var held: (value: SecretValue, generation: UInt64, since: Int64)?
    /// Whether it asks no more, though its lease may still run.
    var hasStopped = false

    init(name: ConsumerName?, host: SimulatedHost, interval: Int64, lease: TimeSpan) {
        self.name = name
        self.host = host
        self.interval = interval
        self.lease = lease
    }
}

extension Simulation {
    /// Lets a reader live: it comes back until it stops for good.
    func schedule(_ reader: SimulatedReader) {
        after(generator.within(reader.interval / 2...reader.interval)) {
            guard !reader.hasStopped else { return }
            if reader.name != nil, self.strikes(.straggler) {
                reader.hasStopped = true
            } else {
                self.ask(reader)
            }
            self.use(reader)
            self.schedule(reader)
        }
    }

    /// The reader is given the active secret, and says so where it has a name.
    private func ask(_ reader: SimulatedReader) {
        let record = store.given
        guard record.restored == nil, let value = record.activeSlot.value else { return }
        for checker in checkers { checker.given(value, until: now + declaredCache, in: self) }
        reader.held = (value, record.generation, now)
        hasChanged = true
        guard let name = reader.name else { return }
        let entry = LedgerEntry(
            consumer: name, generation: record.generation, seen: reader.host.reading(at: now), lease: reader.lease,
            rejected: strikes(.falseComplaint) ? record.generation : nil)
        acknowledge(entry)
    }

    /// How long readers may keep what they were given.
    var declaredCache: Int64 {
        (store.record.registration.consumerCache ?? scenario.policy.consumerCache).milliseconds
    }

    /// The reader exchanges with what it still may hold.
    private func use(_ reader: SimulatedReader) {
        guard let held = reader.held, now <= held.since + declaredCache else { return }
        let isAccepted = exchange(held.value, isProbe: false)
        guard !isAccepted, let name = reader.name else { return }
        happened("\(name) was refused")
        acknowledge(
            LedgerEntry(
                consumer: name, generation: held.generation, seen: reader.host.reading(at: now), lease: reader.lease,
                rejected: held.generation))
    }

    private func acknowledge(_ entry: LedgerEntry) {
        if let index = store.ledger.firstIndex(where: { $0.consumer == entry.consumer }) {
            store.ledger[index] = store.ledger[index].merged(with: entry)
        } else {
            store.ledger.append(entry)
        }
    }
}

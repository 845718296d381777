import FoundationEssentials
import KeyoverCore

/// Turns ledger entries into rows and back.
struct LedgerSealing {
    private let keyring: Keyring

    init(_ keyring: Keyring) {
        self.keyring = keyring
    }

    /// What a consumer of a client is stored under; the same consumer of another client is stored under another hash.
    func hash(_ consumer: ConsumerName, of client: [UInt8]) -> [UInt8] {
        keyring.lookup(kind: "consumer of " + Hex.encode(client), name: consumer.description)
    }

    func seal(_ entry: LedgerEntry, client: [UInt8], serial: UInt64) throws(VaultError) -> LedgerRow {
        let consumer = hash(entry.consumer, of: client)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let json: Data
        do {
            json = try encoder.encode(entry)
        } catch {
            throw VaultError(.invalid, "a report of \(entry.consumer) cannot be written as JSON", underlying: error)
        }
        let sealed = try Seal.seal(Array(json), with: keyring.metadataKey, for: context(client, consumer, serial))
        return LedgerRow(
            client: client, consumer: consumer, serial: serial, leaf: leaf(client, consumer, serial, sealed),
            entry: sealed)
    }

    func open(_ row: LedgerRow) throws(VaultError) -> LedgerEntry {
        let json = try Seal.open(
            row.entry, with: keyring.metadataKey, for: context(row.client, row.consumer, row.serial))
        do {
            return try JSONDecoder().decode(LedgerEntry.self, from: json)
        } catch {
            throw VaultError(.corrupt, "a ledger entry is authentic but unreadable", underlying: error)
        }
    }

    /// Whether the row says what its leaf vouches for.
    func isConsistent(_ row: LedgerRow) -> Bool {
        Primitives.areEqual(leaf(row.client, row.consumer, row.serial, row.entry), row.leaf)
    }

    private func context(_ client: [UInt8], _ consumer: [UInt8], _ serial: UInt64) -> SealContext {
        SealContext(
            vault: keyring.vaultID, epoch: keyring.epoch, record: keyring.vaultID,
            field: "ledger/\(Hex.encode(client))/\(Hex.encode(consumer))", serial: serial)
    }

    private func leaf(_ client: [UInt8], _ consumer: [UInt8], _ serial: UInt64, _ entry: [UInt8]) -> [UInt8] {
        var transcript = Transcript("keyover ledger leaf")
        transcript.append(client)
        transcript.append(consumer)
        transcript.append(serial)
        transcript.append(Primitives.digest(entry))
        return Primitives.authenticate(transcript.bytes, with: keyring.treeKey)
    }
}

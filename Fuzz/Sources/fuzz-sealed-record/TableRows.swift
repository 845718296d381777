import FuzzSupport
import KeyoverCore

@testable import KeyoverSealing

/// The tables of a vault in memory, and as one input: a transcript of rows, each a transcript of its columns.
///
/// Rows come back in the order of the input, which is whatever somebody made it.
final class TableRows: MutableVaultRows {
    private(set) var row: VaultRow?
    private(set) var records: [RecordRow] = []
    private(set) var ledger: [LedgerRow] = []
    private(set) var nodes: [Int64: [UInt8]] = [:]

    init(vault: VaultRow? = nil) {
        row = vault
    }

    /// Reads an input; `nil` when it is no transcript of rows.
    init?(bytes: [UInt8]) {
        guard let rows = Transcript.fields(of: bytes) else { return nil }
        for bytes in rows {
            guard let columns = Transcript.fields(of: Array(bytes))?.map({ Array($0) }) else { return nil }
            switch columns.count {
            case 2: nodes[Int64(bitPattern: Self.number(columns[0]))] = columns[1]
            case 4:
                row = VaultRow(
                    id: columns[0], epoch: Self.number(columns[1]), counter: Self.number(columns[2]), root: columns[3])
            case 5:
                ledger.append(
                    LedgerRow(
                        client: columns[0], consumer: columns[1], serial: Self.number(columns[2]), leaf: columns[3],
                        entry: columns[4]))
            case 8:
                records.append(
                    RecordRow(
                        lookup: columns[0], kind: String(decoding: columns[1], as: UTF8.self), id: columns[2],
                        serial: Self.number(columns[3]), leaf: columns[4], digest: columns[5], metadata: columns[6],
                        payload: columns[7]))
            default: return nil
            }
        }
    }

    /// The tables as an input.
    var bytes: [UInt8] {
        var rows: [[[UInt8]]] = []
        if let row { rows.append([row.id, Self.bytes(row.epoch), Self.bytes(row.counter), row.root]) }
        for (position, hashes) in nodes.sorted(by: { $0.key < $1.key }) {
            rows.append([Self.bytes(UInt64(bitPattern: position)), hashes])
        }
        for row in records {
            rows.append([
                row.lookup, Array(row.kind.utf8), row.id, Self.bytes(row.serial), row.leaf, row.digest, row.metadata,
                row.payload ?? [],
            ])
        }
        for row in ledger { rows.append([row.client, row.consumer, Self.bytes(row.serial), row.leaf, row.entry]) }
        var all = Transcript()
        for columns in rows {
            var one = Transcript()
            for column in columns { one.append(column) }
            all.append(one.bytes)
        }
        return all.bytes
    }

    private static func number(_ bytes: [UInt8]) -> UInt64 {
        bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func bytes(_ number: UInt64) -> [UInt8] { number.bigEndianBytes }

    func vault() -> VaultRow? { row }

    func record(_ lookup: [UInt8]) -> RecordRow? { records.first { $0.lookup == lookup } }

    func node(at position: Int64) -> [UInt8]? { nodes[position] }

    func ledger(of client: [UInt8]) -> [LedgerRow] { ledger.filter { $0.client == client } }

    func items(of kind: HashTree.Kind, from first: [UInt8], through last: [UInt8]) -> [TreeItem] {
        let all =
            switch kind {
            case .records: records.map { ($0.lookup, TreeItem(key: $0.lookup, leaf: $0.leaf)) }
            case .ledger: ledger.map { ($0.client, TreeItem(key: $0.client + $0.consumer, leaf: $0.leaf)) }
            }
        return all.filter { key, _ in
            !key.lexicographicallyPrecedes(first) && !last.lexicographicallyPrecedes(key)
        }.map(\.1)
    }

    func put(_ row: VaultRow) { self.row = row }

    func put(_ row: RecordRow) {
        removeRecord(row.lookup)
        records.append(row)
        records.sort { $0.lookup.lexicographicallyPrecedes($1.lookup) }
    }

    func removeRecord(_ lookup: [UInt8]) { records.removeAll { $0.lookup == lookup } }

    func put(_ row: LedgerRow) {
        removeLedgerEntry(client: row.client, consumer: row.consumer)
        ledger.append(row)
        ledger.sort { ($0.client + $0.consumer).lexicographicallyPrecedes($1.client + $1.consumer) }
    }

    func removeLedgerEntry(client: [UInt8], consumer: [UInt8]) {
        ledger.removeAll { $0.client == client && $0.consumer == consumer }
    }

    func put(_ node: TreeNode, at position: Int64) { nodes[position] = node.isEmpty ? nil : node.bytes }

    func removeNodes() { nodes = [:] }
}

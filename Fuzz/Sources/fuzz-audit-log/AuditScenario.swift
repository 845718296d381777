import FuzzSupport
import KeyoverCore

@testable import KeyoverEngine

/// One log under a key that everybody knows, and all the lines that were ever written to it.
enum AuditScenario {
    static let key = SecretValue(copying: [UInt8](repeating: 7, count: 32))
    static let host: Name<HostRecord> = must("name", Name("node-1"))
    static let chain = AuditChain(key: key, host: host)
    static let extra = entry(99, action: "rotation.completed")

    private static func entry(_ sequence: UInt64, action: String, reason: String? = nil) -> AuditEntry {
        AuditEntry(
            sequence: sequence, time: Timestamp(millisecondsSinceEpoch: 1_795_236_334_123 + Int64(sequence)),
            record: must("id", UUIDv7(bytes: [UInt8](repeating: 1, count: 16))),
            client: must("name", Name("billing-sync")), rotation: UUIDv7(bytes: [UInt8](repeating: 2, count: 16)),
            action: action, actor: Actor(uid: 1000, sudoUser: "ann", unit: "keyover.service", host: "node-1"),
            reason: reason, details: ["stage": "verifying", "generation": "2"])
    }

    private static let entries: [[UInt8]] = must("encode an entry") {
        try [
            entry(1, action: "client.added"), entry(2, action: "rotation.started", reason: "quarterly, \"by hand\""),
            entry(3, action: "rotation.minted"), entry(5, action: "rotation.verified"),
            entry(6, action: "rotation.cutOver", reason: String(repeating: "long ", count: 60)),
        ].map { try AuditEncoding.bytes(of: $0) }
    }

    private static let chained = entries.reduce(into: [(line: [UInt8], head: AuditHead)]()) { chained, entry in
        let line = chain.line(after: chained.last?.head ?? .empty, entry)
        chained.append((line.bytes + [10], line.head))
    }

    /// The lines with their newlines.
    static let lines = chained.map(\.line)
    /// The head after so many lines.
    static let heads = [AuditHead.empty] + chained.map(\.head)

    @Sendable static func seeds() throws -> [String: [UInt8]] {
        let file = Array(lines.joined())
        return [
            "file": input("r", file),
            "file-one": input("r", lines[0]),
            "file-unfinished": input("r", file.dropLast(40)),
            "file-long-unfinished": input("r", file + [0, 40]),
            "entries": input("c", entries.joined(separator: [10])),
            "entry-minimal": input(
                "c", #"{"record":"01010101-0101-0101-0101-010101010101","sequence":18446744073709551615,"client":"a"}"#),
            "head": input("h", "\(heads[3])"),
        ]
    }
}

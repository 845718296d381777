internal import FoundationEssentials
public import KeyoverCore

/// How entries become the bytes of a line and back.
enum AuditEncoding {
    /// The room that a line's frame needs beside its entry.
    private static let frame = 512

    /// The bytes of an entry, members in order of their keys; a huge entry is shortened rather than refused.
    ///
    /// Refusing would block the client's rotations for good, since the entry already stands in its record.
    static func bytes(of entry: AuditEntry) throws(AuditError) -> [UInt8] {
        let whole = try encode(entry)
        return whole.count + frame <= AuditLine.limit ? whole : try encode(shortened(entry))
    }

    /// The entry in the bytes, or `nil` when they hold none that this version can read.
    static func entry(from bytes: ArraySlice<UInt8>) -> AuditEntry? {
        try? JSONDecoder().decode(AuditEntry.self, from: Data(bytes))
    }

    /// The identity of the entry in the bytes, or `nil` when they hold none.
    static func identity(from bytes: ArraySlice<UInt8>) -> AuditIdentity? {
        try? JSONDecoder().decode(AuditIdentity.self, from: Data(bytes))
    }

    /// What the entry in the bytes is about, or `nil` when they hold none.
    static func subject(from bytes: ArraySlice<UInt8>) -> AuditSubject? {
        try? JSONDecoder().decode(AuditSubject.self, from: Data(bytes))
    }

    private static func encode(_ entry: AuditEntry) throws(AuditError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(entry))
        } catch {
            throw AuditError(.unwritable, "an audit entry of \(entry.client) cannot be encoded", underlying: error)
        }
    }

    private static func shortened(_ entry: AuditEntry) -> AuditEntry {
        func cut(_ text: String, _ limit: Int) -> String {
            String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit)))
        }
        var short = entry
        short.reason = entry.reason.map { cut($0, 1024) }
        short.details = [:]
        for key in entry.details.keys.sorted().prefix(16) {
            short.details[cut(key, 64)] = cut(entry.details[key] ?? "", 256)
        }
        short.details["shortened"] = "true"
        return short
    }
}

/// What tells one entry from another.
///
/// Record and sequence would be enough, were it not that a vault restored from a backup counts on from an older number:
/// its new entries must not pass for old ones, so the time belongs to it.
struct AuditIdentity: Codable, Hashable, Sendable {
    var record: UUIDv7
    var sequence: UInt64
    var time: Timestamp

    init(_ entry: AuditEntry) {
        record = entry.record
        sequence = entry.sequence
        time = entry.time
    }
}

/// What an entry is about, as far as its numbering goes.
struct AuditSubject: Codable, Sendable {
    var record: UUIDv7
    var sequence: UInt64
    var client: ClientName
}

extension AuditEntry {
    /// The record id of entries about the log itself: the nil UUID.
    static let logRecord = UUIDv7(bytes: [UInt8](repeating: 0, count: 16))

    /// Whether the entry is about the log itself and not about a client.
    public var isAboutTheLog: Bool { record == Self.logRecord }

    /// The entry that tells of a line which a crash left unfinished and which was cut off.
    static func repaired(line: UInt64, cutOff byteCount: Int64, at time: Timestamp, by actor: Actor) -> AuditEntry? {
        guard let record = logRecord, let client = ClientName("audit-log") else { return nil }
        return AuditEntry(
            sequence: line, time: time, record: record, client: client, rotation: nil, action: "audit.repaired",
            actor: actor, reason: nil, details: ["bytesCutOff": String(byteCount)])
    }
}

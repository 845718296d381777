public import FoundationEssentials
public import KeyoverCore

/// One step of a record's metadata from a format to the next one.
public struct RecordUpgrade: Sendable {
    /// The kind of record.
    public let kind: String
    /// The format it starts from; it ends in the next one.
    public let from: Int
    /// The change, a pure function of the record's JSON.
    public let apply: @Sendable (JSONValue) throws -> JSONValue

    /// A step for a kind from a format to the next.
    public init(kind: String, from: Int, apply: @escaping @Sendable (JSONValue) throws -> JSONValue) {
        self.kind = kind
        self.from = from
        self.apply = apply
    }
}

/// The metadata of records as versioned JSON: `{"format":1,"kind":"client","record":{...}}`, keys sorted.
///
/// A record of an older format is upgraded step by step when it is read. One of a newer format is read when its fields
/// still make sense to this code, and is never written.
public struct RecordCodec: Sendable {
    /// The largest metadata that is written or read.
    public static let byteLimit = 1 << 20

    /// The codec with all upgrades that were ever released.
    public static let standard = RecordCodec(upgrades: [])

    private let upgrades: [RecordUpgrade]

    /// A codec that knows these upgrades.
    public init(upgrades: [RecordUpgrade]) {
        self.upgrades = upgrades
    }

    /// The record's metadata as JSON.
    public func encode<Record: VaultRecord>(_ record: Record) throws(VaultError) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data: Data
        do {
            data = try encoder.encode(Envelope(format: Record.formatVersion, kind: Record.kind, record: record))
        } catch {
            throw VaultError(.invalid, "\(Record.kind) \(record.name) cannot be written as JSON", underlying: error)
        }
        guard data.count <= Self.byteLimit else {
            throw VaultError(
                .tooLarge, "\(Record.kind) \(record.name) has \(data.count) bytes of metadata, more than a mebibyte",
                remedy: "shorten its labels, scopes or deliveries with keyover \(Record.kind) edit \(record.name)")
        }
        return data
    }

    /// The record that the JSON says, upgraded to the present format.
    public func decode<Record: VaultRecord>(_ data: Data, as type: Record.Type) throws(VaultError) -> Record {
        guard data.count <= Self.byteLimit else { throw Self.unreadable(Record.kind, nil) }
        let found: FoundRecord<Record>
        do {
            found = try JSONDecoder().decode(FoundRecord<Record>.self, from: data)
        } catch {
            throw Self.unreadable(Record.kind, error)
        }
        switch found.content {
        case .success(let record):
            return record
        case .failure(let error):
            guard found.format <= Record.formatVersion else {
                throw Self.newerFormat(Record.kind, found.format, Record.formatVersion)
            }
            throw Self.unreadable(Record.kind, error)
        case nil:
            do {
                let upgraded = try upgrade(data, from: found.format, type)
                return try JSONDecoder().decode(Envelope<Record>.self, from: upgraded).record
            } catch {
                throw Self.unreadable(Record.kind, error)
            }
        }
    }

    /// Refuses to replace a record of a newer format.
    public func checkMayReplace<Record: VaultRecord>(_ data: Data, _ type: Record.Type) throws(VaultError) {
        guard data.count <= Self.byteLimit, let header = try? JSONDecoder().decode(Header.self, from: data) else {
            throw Self.unreadable(Record.kind, nil)
        }
        let format = header.format
        if format > Record.formatVersion { throw Self.newerFormat(Record.kind, format, Record.formatVersion) }
    }

    private func upgrade<Record: VaultRecord>(_ data: Data, from: Int, _ type: Record.Type) throws -> Data {
        var record = try JSONDecoder().decode(Envelope<JSONValue>.self, from: data).record
        for format in from..<Record.formatVersion {
            guard let step = upgrades.first(where: { $0.kind == Record.kind && $0.from == format }) else {
                throw VaultError(.corrupt, "nothing upgrades \(Record.kind) from format \(format)")
            }
            record = try step.apply(record)
        }
        return try JSONEncoder().encode(Envelope(format: Record.formatVersion, kind: Record.kind, record: record))
    }

    private static func unreadable(_ kind: String, _ error: (any Error)?) -> VaultError {
        VaultError(
            .corrupt, "a record of kind \(kind) is authentic but unreadable",
            remedy: VaultError.restoreBackup, underlying: error)
    }

    private static func newerFormat(_ kind: String, _ found: Int, _ known: Int) -> VaultError {
        VaultError(
            .newerFormat, "a \(kind) was written in format \(found), and this Keyover writes format \(known)",
            remedy: "install the newer Keyover on this machine too")
    }
}

private struct Header: Decodable {
    let format: Int
    let kind: String
}

private struct Envelope<Record: Codable>: Codable {
    let format: Int
    let kind: String
    let record: Record
}

/// What one pass over the JSON finds: the format, and the record where this code can read that format.
private struct FoundRecord<Record: VaultRecord>: Decodable {
    private enum CodingKeys: String, CodingKey { case format, kind, record }

    let format: Int
    /// The record or why it cannot be read; `nil` when it has to be upgraded first.
    let content: Result<Record, any Error>?

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        format = try container.decode(Int.self, forKey: .format)
        guard format > 0, try container.decode(String.self, forKey: .kind) == Record.kind else {
            throw DecodingError.dataCorruptedError(forKey: .kind, in: container, debugDescription: "another kind")
        }
        content = format < Record.formatVersion ? nil : Result { try container.decode(Record.self, forKey: .record) }
    }
}

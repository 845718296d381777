import Foundation
import KeyoverConformance
import KeyoverCore
import KeyoverSealing
import Testing

/// A record whose format is set from outside.
private struct Versioned<Format: VersionNumber>: VaultRecord {
    static var kind: String { "versioned" }
    static var formatVersion: Int { Format.number }
    let id: UUIDv7
    let name: Name<Self>
    var full: String
    var secrets: [String: SecretValue] {
        get { [:] }
        set { _ = newValue }
    }
}

private protocol VersionNumber: Sendable { static var number: Int { get } }
private enum One: VersionNumber { static let number = 1 }
private enum Three: VersionNumber { static let number = 3 }

@Suite struct CodecTests {
    private static func golden(_ name: String) throws -> Data {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        return try Data(contentsOf: folder.appending(path: "Golden/\(name)"))
    }

    /// Writes a golden file anew, for a format that no release has yet.
    private static func rewrite<Record: VaultRecord>(_ name: String, _ record: Record) throws {
        guard ProcessInfo.processInfo.environment["KEYOVER_WRITE_GOLDEN"] != nil else { return }
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        try RecordCodec.standard.encode(record).write(to: folder.appending(path: "Golden/\(name)"))
    }

    private func code(_ body: () throws -> Void) -> VaultError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? VaultError)?.code
        }
    }

    @Test func theGoldenFilesAreReadAndWrittenToTheByte() throws {
        func check<Record: VaultRecord>(_ record: Record, _ name: String) throws {
            var bare = record
            bare.secrets = [:]
            try Self.rewrite(name, record)
            let data = try Self.golden(name)
            #expect(try RecordCodec.standard.decode(data, as: Record.self) == bare, "\(name) reads differently")
            let written = try RecordCodec.standard.encode(record)
            #expect(String(decoding: written, as: UTF8.self) == String(decoding: data, as: UTF8.self), "\(name)")
        }
        try check(SampleRecords.clientInRotation("billing-sync"), "client-1.json")
        try check(SampleRecords.tenant("sandbox-1"), "tenant-1.json")
        try check(SampleRecords.host("host-1"), "host-1.json")
    }

    @Test func theSampleHasSomethingInEveryField() throws {
        func holes(_ value: Any, _ path: String) -> [String] {
            let mirror = Mirror(reflecting: value)
            if mirror.displayStyle == .optional {
                return mirror.children.first.map { holes($0.value, path) } ?? [path]
            }
            if mirror.displayStyle == .collection, mirror.children.isEmpty { return [path] }
            return mirror.children.flatMap { holes($0.value, path + "." + ($0.label ?? "")) }
        }
        #expect(holes(SampleRecords.clientInRotation("a"), "client") == [])
        #expect(holes(SampleRecords.tenant("a"), "tenant") == [])
    }

    @Test func noValueIsInTheMetadata() throws {
        let json = try RecordCodec.standard.encode(SampleRecords.clientInRotation("a"))
        for value in ["hush", "whisper", "murmur"] {
            #expect(!String(decoding: json, as: UTF8.self).contains(value))
        }
    }

    @Test func anOlderFormatIsUpgradedStepByStep() throws {
        let old = Versioned<One>(id: SampleRecords.id(1), name: SampleRecords.name("a"), full: "ann")
        func step(_ from: Int, _ suffix: String) -> RecordUpgrade {
            RecordUpgrade(kind: "versioned", from: from) { value in
                guard case .object(var fields) = value, case .string(let text)? = fields["full"] else { return value }
                fields["full"] = .string(text + suffix)
                return .object(fields)
            }
        }
        let data = try RecordCodec.standard.encode(old)
        let codec = RecordCodec(upgrades: [step(2, " c"), step(1, " b")])
        #expect(try codec.decode(data, as: Versioned<Three>.self).full == "ann b c")
        try codec.checkMayReplace(data, Versioned<Three>.self)
        #expect(
            code { _ = try RecordCodec(upgrades: [step(2, "")]).decode(data, as: Versioned<Three>.self) } == .corrupt)
    }

    @Test func aNewerFormatIsReadWherePossibleAndNeverReplaced() throws {
        let new = Versioned<Three>(id: SampleRecords.id(1), name: SampleRecords.name("a"), full: "ann")
        let data = try RecordCodec.standard.encode(new)
        #expect(try RecordCodec.standard.decode(data, as: Versioned<One>.self).full == "ann")
        #expect(code { try RecordCodec.standard.checkMayReplace(data, Versioned<One>.self) } == .newerFormat)
        let strange = Data(String(decoding: data, as: UTF8.self).replacing("\"full\"", with: "\"whole\"").utf8)
        #expect(code { _ = try RecordCodec.standard.decode(strange, as: Versioned<One>.self) } == .newerFormat)
    }

    @Test(arguments: [
        "", "{}", "[]", "{\"format\":0,\"kind\":\"client\",\"record\":{}}", "{\"format\":1,\"kind\":\"client\"}",
        "{\"format\":1,\"kind\":\"tenant\",\"record\":{}}", "{\"format\":\"1\",\"kind\":\"client\",\"record\":{}}",
    ]) func whatIsNotARecordIsCorrupt(text: String) {
        #expect(code { _ = try RecordCodec.standard.decode(Data(text.utf8), as: ClientRecord.self) } == .corrupt)
    }

    @Test func metadataIsBounded() {
        var client = SampleRecords.client("a")
        client.registration.labels["long"] = String(repeating: "x", count: 1 << 20)
        #expect(code { _ = try RecordCodec.standard.encode(client) } == .tooLarge)
    }

    @Test func anyJSONSurvivesAnUpgradeThatLeavesItAlone() throws {
        let text = #"{"a":[1,-1,1.5,true,false,null,"x",{"b":18446744073709551615}],"c":{}}"#
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        #expect(String(decoding: try encoder.encode(value), as: UTF8.self) == text)
    }
}

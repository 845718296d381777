import Foundation
import KeyoverConformance
import KeyoverCore
import Testing

@testable import KeyoverSealing

/// A backup is the vault's own and whole, or it is refused.
@Suite struct BackupTests {
    private let identity: X25519Identity
    private let keyring: Keyring
    private let keys: KeyFile
    private let manifest: BackupManifest
    private let log = Array(repeating: UInt8(ascii: "x"), count: 100_000)

    init() throws {
        identity = try X25519Identity.generate()
        keyring = Keyring.generate(vaultID: SampleRecords.id(1))
        keys = KeyFile(keyring, for: try VaultAudience(of: [identity.recipient]))
        manifest = BackupManifest(
            vaultID: keyring.vaultID, mark: VaultMark(epoch: 1, counter: 42),
            createdAt: Timestamp(millisecondsSinceEpoch: 1_790_000_000_123), host: "host-1")
    }

    @Test func whatGoesInComesOut() throws {
        let file = try backup { writer in
            try addEverything(to: writer)
        }
        var log: [UInt8] = []
        var seen: [String] = []
        let found = try read(file) { content in
            switch content {
            case .keys(let keys): seen.append("keys \(keys.keyrings[0].commitment == keyring.commitment)")
            case .record(let kind, let name, let metadata, let values):
                let text = values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text)" }.joined(separator: " ")
                seen.append("\(kind) \(name) \(metadata.count) \(text)")
            case .ledger(let client, let entries): seen.append("ledger \(client) \(entries.map(\.generation))")
            case .auditLog(let host, let count): seen.append("log \(host) \(count)")
            case .auditBytes(let bytes): log += bytes.withUnsafeSecretBytes { Array($0) }
            }
        }
        #expect(found == manifest)
        #expect(log == self.log)
        #expect(
            seen == [
                "keys true", "client a 2 primary=hush secondary=whisper", "host h 2 ", "tenant t 2 admin=",
                "ledger a [7]", "log host-1 100000",
            ])
    }

    @Test func everyChangedByteIsRefused() throws {
        let file = try backup { writer in
            try writer.add(.keys(keys))
            try writer.add(.record(kind: "client", name: "a", metadata: Data("{}".utf8), values: [:]))
        }
        for index in file.indices {
            var harmed = file
            harmed[index] ^= 1 << UInt8(index % 8)
            #expect(refusal { _ = try read(harmed) } != nil, "byte \(index)")
        }
    }

    @Test func everyOtherLengthIsRefused() throws {
        let file = try backup { try $0.add(.keys(keys)) }
        for length in file.indices {
            #expect(refusal { _ = try read(Array(file[..<length])) } != nil, "length \(length)")
        }
        #expect(refusal { _ = try read(file + [0]) } == .notTrusted)
    }

    /// Whoever knows a public key can encrypt to it: what is inside has to be the vault's own.
    @Test func whatSomebodyElseMadeUpIsRefused() throws {
        let stranger = Keyring.generate(vaultID: keyring.vaultID)
        let madeUp = try backup(by: stranger) { try $0.add(.keys(keys)) }
        #expect(refusal { _ = try read(madeUp) } == .notTrusted)
        let withoutKeys = try backup { _ in }
        #expect(refusal { _ = try read(withoutKeys) } == .notTrusted)
        let otherVault = KeyFile(
            Keyring.generate(vaultID: SampleRecords.id(2)), for: try VaultAudience(of: [identity.recipient]))
        let mixed = try backup { try $0.add(.keys(otherVault)) }
        #expect(refusal { _ = try read(mixed) } == .notTrusted)
        let newer = try backup(
            as: BackupManifest(
                vaultID: keyring.vaultID, mark: VaultMark(epoch: 2, counter: 1), createdAt: manifest.createdAt,
                host: "host-1")
        ) { try $0.add(.keys(keys)) }
        #expect(refusal { _ = try read(newer) } == .notTrusted)
    }

    @Test func aRecordCannotHaveValuesWithoutEnd() throws {
        let values = Dictionary(uniqueKeysWithValues: (0..<20).map { ("field-\($0)", SecretValue("hush")) })
        let file = try backup {
            try $0.add(.keys(keys))
            try $0.add(.record(kind: "client", name: "a", metadata: Data("{}".utf8), values: values))
        }
        #expect(refusal { _ = try read(file) } == .notTrusted)
    }

    @Test func whoeverHasNoIdentityOpensNothing() throws {
        let file = try backup { try $0.add(.keys(keys)) }
        let other = try X25519Identity.generate()
        #expect(refusal { _ = try read(file, with: other) } == .locked)
        for garbage in [[], Array("hello".utf8), [UInt8](repeating: 0, count: 4096)] {
            #expect(refusal { _ = try read(garbage) } == .notTrusted)
        }
    }

    @Test(arguments: [
        "", "/etc/passwd", "../x", "client/../x", "client/a/../record.json", "client//record.json", "keys/", "KEYS",
        "client/a/record.json/x", "audit/h", "audit/h/log.jsonl ", "client/a/other", "ledger.json", "manifest.jsonx",
        "client/.a/record.json", "client/a\u{0}b/record.json",
    ])
    func namesThatKeyoverDoesNotWriteAreRefused(name: String) {
        #expect(BackupName(name) == nil)
    }

    @Test func headersHaveOneSpelling() throws {
        let long = String(repeating: "n", count: 128)
        for name in ["README", "client/a/record.json", "client/\(long)/value.secondary", "audit/\(long)/log.jsonl"] {
            let member = TarMember(name: name, count: 123_456)
            let header = try #require(TarHeader.encode(member))
            #expect(TarHeader.decode(header) == member)
            for index in header.indices {
                var harmed = header
                harmed[index] ^= 1
                #expect(TarHeader.decode(harmed) == nil, "byte \(index)")
            }
        }
        #expect(TarHeader.encode(TarMember(name: String(repeating: "n", count: 101), count: 1)) == nil)
        #expect(TarHeader.encode(TarMember(name: "a", count: -1)) == nil)
    }

    @Test func theStockProgramsReadIt() throws {
        let scratch = try Scratch()
        let key = try scratch.write("key", IdentityFile.text(of: identity).text)
        let file = scratch.path + "/backup.age"
        try Data(backup { try addEverything(to: $0) }).write(to: URL(filePath: file))
        let script = "age -d -i \(key) \(file) | tar -x -C \(scratch.path)"
        _ = try run("/bin/sh", ["-c", script])
        #expect(try String(contentsOfFile: scratch.path + "/client/a/value.primary", encoding: .utf8) == "hush")
        #expect(try Array(Data(contentsOf: URL(filePath: scratch.path + "/audit/host-1/log.jsonl"))) == log)
    }

    // MARK: Helpers

    private func addEverything(to writer: BackupWriter) throws {
        let values = ["primary": SecretValue("hush"), "secondary": SecretValue("whisper")]
        try writer.add(.keys(keys))
        try writer.add(.record(kind: "client", name: "a", metadata: Data("{}".utf8), values: values))
        try writer.add(.record(kind: "host", name: "h", metadata: Data("{}".utf8), values: [:]))
        try writer.add(
            .record(kind: "tenant", name: "t", metadata: Data("{}".utf8), values: ["admin": SecretValue("")]))
        try writer.add(
            .ledger(client: SampleRecords.name("a"), entries: [SampleRecords.report("web-1", generation: 7)]))
        try writer.add(.auditLog(host: try #require(Name("host-1")), byteCount: log.count))
        try writer.add(.auditBytes(SecretValue(copying: log[..<70_000])))
        try writer.add(.auditBytes(SecretValue(copying: log[70_000...])))
    }

    private func backup(
        as other: BackupManifest? = nil, by keyring: Keyring? = nil, _ body: (BackupWriter) throws -> Void
    ) throws -> [UInt8] {
        var file: [UInt8] = []
        let writer = try BackupWriter(keyring ?? self.keyring, other ?? manifest, to: [identity.recipient]) {
            file += Array($0)
        }
        try body(writer)
        try writer.finish()
        return file
    }

    private func read(
        _ file: [UInt8], with identity: X25519Identity? = nil, _ body: (BackupContent) throws -> Void = { _ in }
    ) throws -> BackupManifest {
        var offset = 0
        let reader = try BackupReader(for: [identity ?? self.identity]) { buffer in
            let count = min(buffer.count, file.count - offset)
            buffer.copyBytes(from: file[offset..<offset + count])
            offset += count
            return count
        }
        return try reader.read(body)
    }

    private func refusal(_ body: () throws -> Void) -> VaultError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? VaultError)?.code ?? .invalid
        }
    }
}

import FoundationEssentials
import FuzzSupport
import KeyoverCore

@testable import KeyoverSealing

/// Backups of the scenario's vault: the archive inside the age file is the input, since age proves no author.
enum Backup {
    /// All that is handed over, in one comparable form.
    private struct Content: Equatable {
        var items: [String] = []
        var log: [UInt8] = []

        mutating func add(_ content: BackupContent) {
            switch content {
            case .keys(let file): items.append("keys \(Hex.encode(file.keyrings.flatMap(\.commitment)))")
            case .record(let kind, let name, let metadata, let values):
                let values = values.sorted { $0.key < $1.key }.map { "\($0.key)=\(Hex.encode($0.value.plain))" }
                items.append("\(kind) \(name) \(Hex.encode(Array(metadata))) \(values)")
            case .ledger(let client, let entries): items.append("ledger \(client) \(entries)")
            case .auditLog(let host, let count): items.append("log \(host) \(count)")
            case .auditBytes(let bytes): log += bytes.plain
            }
        }
    }

    /// A stanza that holds the file key as it is, so that opening costs nothing.
    private struct OpenSecret: AgeRecipient, AgeIdentity {
        func wrap(_ fileKey: SecretValue) -> AgeStanza { AgeStanza(type: "open", arguments: [], body: fileKey.plain) }

        func unwrap(_ stanzas: [AgeStanza]) -> SecretValue? {
            stanzas.first.map { SecretValue(copying: $0.body) }
        }
    }

    private static let manifest = BackupManifest(
        vaultID: Scenario.id, mark: VaultMark(epoch: 1, counter: 5), createdAt: Scenario.moment, host: "node-1")
    private static let log = Array(#"{"n":1}"#.utf8) + [10]
    private static let contents: [BackupContent] = {
        let recipient = VaultRecipient.key(X25519Recipient(bytes: [UInt8](repeating: 1, count: 32)))
        let file = must("make a key file") { () throws(VaultError) in
            KeyFile(Scenario.keyring, for: try VaultAudience(full: [recipient]))
        }
        return [
            .keys(file),
            .record(
                kind: "client", name: "billing-sync", metadata: Data(Scenario.metadata),
                values: ["primary": Scenario.value, "secondary": SecretValue("another")]),
            .ledger(client: Scenario.client, entries: [Scenario.report]),
            .auditLog(host: must("name", Name("node-1")), byteCount: log.count),
            .auditBytes(SecretValue(copying: log)),
        ]
    }()
    private static let genuine = contents.reduce(into: Content()) { $0.add($1) }

    /// The archive of the one genuine backup.
    static let archive: [UInt8] = must("write a backup") {
        var file: [UInt8] = []
        let writer = try BackupWriter(Scenario.keyring, manifest, to: [OpenSecret()]) { file += $0 }
        for content in contents { try writer.add(content) }
        try writer.finish()
        return try AgeFile.decrypt(file, with: [OpenSecret()]).plain
    }

    /// Reads an archive; only what the vault wrote may be read to its end.
    static func read(_ archive: [UInt8]) -> FuzzTarget.Outcome {
        var rest = must("encrypt") { () throws(AgeError) in
            try AgeFile.encrypt(SecretValue(copying: archive), to: [OpenSecret()])
        }[...]
        var content = Content()
        do throws(VaultError) {
            let reader = try BackupReader(for: [OpenSecret()]) { buffer in
                let count = min(buffer.count, rest.count)
                buffer.copyBytes(from: rest.prefix(count))
                rest = rest.dropFirst(count)
                return count
            }
            let found = try reader.read { content.add($0) }
            require(content == genuine && found == manifest, "a backup was accepted that the vault did not write")
            return .accepted
        } catch {
            requireFit(error.message)
            let refusals: Set<VaultError.Code> = [.notTrusted, .corrupt, .newerFormat]
            require(refusals.contains(error.code), "refused with \(error.code)")
            return .refused
        }
    }
}

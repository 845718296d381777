import Crypto
import FoundationEssentials
public import KeyoverCore

/// Reads a backup from its beginning to its end, and says at the end whether it can be trusted.
///
/// What ``read(_:)`` hands over on the way is authentic piece by piece, but only when it returns is it known to be whole
/// and the vault's own: until then nothing may be done with it that cannot be undone.
public final class BackupReader {
    /// No kind of record has nearly as many; until the manifest is read, anybody may have made the backup.
    private static let valuesLimit = 16

    private let age: AgeReader
    private var digest = SHA256()
    /// Plaintext that was decrypted and not taken yet, and how far it has been taken.
    private var chunk: (bytes: SecretValue, taken: Int)?
    private var keys: KeyFile?

    /// Opens a backup with the first identity that fits.
    ///
    /// - Parameter source: Fills the buffer as far as it can and answers how far; 0 at the end of the file.
    public init(
        for identities: [any AgeIdentity], source: @escaping (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws(VaultError) {
        do {
            age = try AgeReader(for: identities, source: source)
        } catch {
            throw Self.map(error)
        }
    }

    /// Hands over all that is in the backup, in order, and answers what it says about itself.
    ///
    /// - Throws: `VaultError` with `.locked`, `.notTrusted` or `.newerFormat`, or what the closure throws.
    public func read(_ body: (BackupContent) throws -> Void) throws(VaultError) -> BackupManifest {
        do {
            return try readAll(body)
        } catch {
            throw Self.map(error)
        }
    }

    private func readAll(_ body: (BackupContent) throws -> Void) throws -> BackupManifest {
        var record: (kind: String, name: String, metadata: Data, values: [String: SecretValue])?
        func handOver() throws {
            guard let whole = record else { return }
            try body(.record(kind: whole.kind, name: whole.name, metadata: whole.metadata, values: whole.values))
            record = nil
        }
        while true {
            let before = Array(digest.finalize())
            let (name, count) = try nextMember()
            if case .value(let kind, let owner, let field) = name {
                guard record?.kind == kind, record?.name == owner, record?.values.count ?? 0 < Self.valuesLimit else {
                    throw BackupManifest.damaged("a value is out of place")
                }
                record?.values[field] = try content(count)
                continue
            }
            try handOver()
            switch name {
            case .readme: _ = try content(count)
            case .keys:
                let file = try KeyFile(parsing: try content(count))
                keys = file
                try body(.keys(file))
            case .metadata(let kind, let owner):
                record = (kind, owner, try content(count).withUnsafeSecretBytes { Data($0) }, [:])
            case .value: break
            case .ledger(let client): try body(ledger(of: client, try content(count)))
            case .audit(let host): try readLog(of: host, count, body)
            case .manifest:
                guard let keys else { throw BackupManifest.damaged("it holds no keys") }
                let bytes = try content(count).withUnsafeSecretBytes { Array($0) }
                let manifest = try BackupManifest(bytes, digest: before, keys)
                try finish()
                return manifest
            }
        }
    }

    private func nextMember() throws -> (BackupName, Int) {
        let header = try take(TarHeader.blockCount).withUnsafeSecretBytes { Array($0) }
        guard let member = TarHeader.decode(header), let name = BackupName(member.name), member.count <= name.limit
        else {
            throw BackupManifest.damaged("it holds something that Keyover did not put there")
        }
        return (name, member.count)
    }

    private func content(_ count: Int) throws -> SecretValue {
        let bytes = try take(count)
        _ = try take(TarHeader.padding(count))
        return bytes
    }

    private func ledger(of client: String, _ bytes: SecretValue) throws -> BackupContent {
        let data = bytes.withUnsafeSecretBytes { Data($0) }
        guard let client = ClientName(client), let entries = try? JSONDecoder().decode([LedgerEntry].self, from: data)
        else { throw BackupManifest.damaged("a ledger is unreadable") }
        return .ledger(client: client, entries: entries)
    }

    private func readLog(of host: String, _ count: Int, _ body: (BackupContent) throws -> Void) throws {
        guard let host = Name<HostRecord>(host) else { throw BackupManifest.damaged("a host has no name") }
        try body(.auditLog(host: host, byteCount: count))
        var rest = count
        while rest > 0 {
            let piece = try take(min(rest, AgePayload.chunkCount))
            try body(.auditBytes(piece))
            rest -= piece.count
        }
        _ = try take(TarHeader.padding(count))
    }

    /// The end of the archive and of the file behind it.
    private func finish() throws {
        let end = try take(2 * TarHeader.blockCount)
        let isBlank = end.withUnsafeSecretBytes { $0.allSatisfy { $0 == 0 } }
        let isConsumed = chunk.map { $0.taken == $0.bytes.count } ?? true
        guard isBlank, isConsumed, try age.next() == nil else {
            throw BackupManifest.damaged("something follows its end")
        }
    }

    /// Exactly so many bytes.
    private func take(_ count: Int) throws -> SecretValue {
        let bytes = try SecretValue(count: count) { output in
            var filled = 0
            while filled < count {
                guard let (bytes, taken) = chunk, taken < bytes.count else {
                    guard let next = try age.next() else { throw BackupManifest.damaged("it is cut short") }
                    chunk = (next, 0)
                    continue
                }
                let part = min(count - filled, bytes.count - taken)
                bytes.withUnsafeSecretBytes { raw in
                    UnsafeMutableRawBufferPointer(rebasing: output[filled..<filled + part])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: raw[taken..<taken + part]))
                }
                chunk = (bytes, taken + part)
                filled += part
            }
        }
        bytes.withUnsafeSecretBytes { digest.update(bufferPointer: $0) }
        return bytes
    }

    private static func map(_ error: any Error) -> VaultError {
        switch error {
        case let error as VaultError: return error
        case let error as AgeError where error.code == .noMatch:
            return VaultError(
                .locked, "no identity opens the backup",
                remedy: "give the one it was made for with --identity FILE", underlying: error)
        case let error as AgeError:
            return VaultError(
                .notTrusted, "the backup is damaged: \(error)", remedy: "restore another backup; nothing was changed",
                underlying: error)
        default: return VaultError(.unavailable, "the backup cannot be read: \(error)", underlying: error)
        }
    }
}

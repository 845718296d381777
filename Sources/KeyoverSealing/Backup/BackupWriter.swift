import Crypto
import FoundationEssentials
import KeyoverCore

/// Writes a backup: a tar archive in an age file, whose last member vouches for all the others.
///
/// The order is: keys, everything else, ``finish()``. Nothing is a backup before that.
public final class BackupWriter {
    private let age: AgeWriter
    private let manifest: BackupManifest
    private let keyring: Keyring
    private var digest = SHA256()
    private var owed = 0
    private var padding = 0

    /// Begins a backup of a vault in the state and epoch that the manifest names.
    ///
    /// - Parameter sink: Takes the encrypted bytes in order.
    public init(
        _ keyring: Keyring, _ manifest: BackupManifest, to recipients: [any AgeRecipient],
        sink: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        age = try AgeWriter(to: recipients, sink: sink)
        self.manifest = manifest
        self.keyring = keyring
        try add(.readme, SecretValue(copying: BackupName.readmeText.utf8))
    }

    /// Adds the next thing.
    public func add(_ content: BackupContent) throws {
        switch content {
        case .keys(let file):
            try add(.keys, file.encoded())
        case .record(let kind, let name, let metadata, let values):
            try add(.metadata(kind: kind, name: name), SecretValue(copying: metadata))
            for (field, value) in values.sorted(by: { $0.key < $1.key }) {
                try add(.value(kind: kind, name: name, field: field), value)
            }
        case .ledger(let client, let entries):
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            try add(.ledger(client: client.description), SecretValue(copying: try encoder.encode(entries)))
        case .auditLog(let host, let byteCount):
            try begin(.audit(host: host.description), byteCount)
        case .auditBytes(let bytes):
            try take(bytes)
        }
    }

    /// Writes the manifest and the end of the archive.
    public func finish() throws {
        let bytes = try manifest.encoded(digest: Array(digest.finalize()), keyring)
        try add(.manifest, SecretValue(copying: bytes))
        try write([UInt8](repeating: 0, count: 2 * TarHeader.blockCount))
        try age.finish()
    }

    private func add(_ name: BackupName, _ bytes: SecretValue) throws {
        try begin(name, bytes.count)
        try take(bytes)
    }

    private func begin(_ name: BackupName, _ count: Int) throws {
        precondition(owed == 0, "a member has all its bytes before the next one begins")
        guard count <= name.limit, BackupName(name.path) == name,
            let header = TarHeader.encode(TarMember(name: name.path, count: count))
        else { throw VaultError(.tooLarge, "\(name.path) does not fit into a backup") }
        try write(header)
        owed = count
        padding = TarHeader.padding(count)
    }

    private func take(_ bytes: SecretValue) throws {
        precondition(bytes.count <= owed, "a member has as many bytes as announced")
        try bytes.withUnsafeSecretBytes { raw in
            digest.update(bufferPointer: raw)
            try age.write(raw)
        }
        owed -= bytes.count
        if owed == 0 { try write([UInt8](repeating: 0, count: padding)) }
    }

    private func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { raw in
            digest.update(bufferPointer: raw)
            try age.write(raw)
        }
    }
}

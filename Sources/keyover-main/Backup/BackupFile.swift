import Glibc
import KeyoverCore
import KeyoverSealing

/// A backup in a file, opened once and read as often as needed.
final class BackupFile: Sendable {
    let path: String
    private let descriptor: Int32
    private let identities: [any AgeIdentity]

    init(_ path: String, for identities: [any AgeIdentity]) throws(ConfigurationError) {
        self.path = path
        self.identities = identities
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw ConfigurationError(
                .unreadable, "the backup \(path) cannot be read: \(String(cString: strerror(errno)))",
                remedy: "check the path of the file")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ConfigurationError(
                .unreadable, "\(path) is no plain file", remedy: "store the backup in a file first")
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Reads the backup from its beginning to its end.
    func read(_ body: (BackupContent) throws -> Void) throws(VaultError) -> BackupManifest {
        var offset: off_t = 0
        let descriptor = descriptor
        let reader = try BackupReader(for: identities) { buffer in
            let count = pread(descriptor, buffer.baseAddress, buffer.count, offset)
            guard count >= 0 else {
                throw VaultError(.unavailable, "the backup cannot be read: \(String(cString: strerror(errno)))")
            }
            offset += off_t(count)
            return count
        }
        return try reader.read(body)
    }

    /// Reads all of it and counts what is in it, without doing anything with it.
    func survey() throws(VaultError) -> Survey {
        var (clients, tenants) = (0, 0)
        var commitment: [UInt8] = []
        let manifest = try read { content in
            switch content {
            case .keys(let file): commitment = file.keyrings.last?.commitment ?? []
            case .record(ClientRecord.kind, _, _, _): clients += 1
            case .record(TenantRecord.kind, _, _, _): tenants += 1
            case .record, .ledger, .auditLog, .auditBytes: break
            }
        }
        return Survey(manifest: manifest, commitment: commitment, clients: clients, tenants: tenants)
    }

    /// What is in a backup.
    struct Survey {
        let manifest: BackupManifest
        /// That of the keys in it.
        let commitment: [UInt8]
        let clients: Int
        let tenants: Int
    }
}

import Glibc
public import KeyoverCore

/// Credentials that systemd or a container runtime provides in a folder of their own.
public enum ServiceCredential {
    /// The largest credential, in bytes.
    public static let limit = 64 << 10

    /// The contents of a credential.
    ///
    /// Its file may be readable for its group when the folder belongs to root and nobody else may change it.
    public static func read(_ name: String, in directory: String) throws(VaultError) -> SecretValue {
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw SystemError.last("cannot open \(directory)") }
        defer { close(folder) }
        var status = stat()
        guard fstat(folder, &status) == 0 else { throw SystemError.last("cannot look at \(directory)") }
        guard status.st_uid == 0 || status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
            throw VaultError(
                .looseFilePermissions, "the credentials folder \(directory) can be changed by others",
                remedy: "let systemd make it, with LoadCredential=\(name):PATH")
        }
        let rule: PrivateFile.Rule = status.st_uid == 0 ? .serviceCredential : .ownerOnly
        return try PrivateFile.read(name, in: folder, of: directory, limit: limit, rule: rule)
    }
}

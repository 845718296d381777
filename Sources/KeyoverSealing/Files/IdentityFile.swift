import Glibc
public import KeyoverCore

/// Files of age identities, as `age-keygen` writes them: one `AGE-SECRET-KEY-1...` a line, comments and empty lines.
public enum IdentityFile {
    private static let limit = 64 << 10

    /// The identities in a file that only its owner may read.
    public static func read(_ path: String) throws(VaultError) -> [any AgeIdentity] {
        try parse(PrivateFile.read(path, limit: limit), path)
    }

    /// The identities in a credential that systemd or a container runtime provides in a folder.
    ///
    /// Such a file may be readable for its group when the folder belongs to root and nobody else may change it.
    public static func readCredential(_ name: String, in directory: String) throws(VaultError) -> [any AgeIdentity] {
        let path = "\(directory)/\(name)"
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw SystemError.last("cannot open \(directory)") }
        defer { close(folder) }
        var status = stat()
        guard fstat(folder, &status) == 0 else { throw SystemError.last("cannot look at \(directory)") }
        guard status.st_uid == 0 || status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
            throw VaultError(
                .looseFilePermissions, "the credentials folder \(directory) can be changed by others",
                remedy: "let systemd make it, with LoadCredential=keyover.identity:PATH")
        }
        let rule: PrivateFile.Rule = status.st_uid == 0 ? .serviceCredential : .ownerOnly
        return try parse(PrivateFile.read(name, in: folder, of: directory, limit: limit, rule: rule), path)
    }

    /// The text of an identity file for a fresh key pair.
    public static func text(of identity: X25519Identity) -> SecretValue {
        let comment = Array("# public key: \(identity.recipient)\n".utf8)
        let key = identity.encoded
        return SecretValue(count: comment.count + key.count + 1) { buffer in
            buffer.copyBytes(from: comment)
            key.withUnsafeSecretBytes { raw in
                UnsafeMutableRawBufferPointer(rebasing: buffer[comment.count..<buffer.count - 1]).copyMemory(from: raw)
            }
            buffer[buffer.count - 1] = UInt8(ascii: "\n")
        }
    }

    static func parse(_ text: SecretValue, _ path: String) throws(VaultError) -> [any AgeIdentity] {
        let lines: [SecretValue] = text.withUnsafeSecretBytes { raw in
            raw.split(separator: UInt8(ascii: "\n")).compactMap { line in
                var line = line
                while let last = line.last, last == 13 || last == 32 || last == 9 { line.removeLast() }
                return line.isEmpty || line.first == UInt8(ascii: "#") ? nil : SecretValue(copying: line)
            }
        }
        var identities: [any AgeIdentity] = []
        for line in lines {
            do {
                identities.append(try X25519Identity(line))
            } catch {
                throw VaultError(
                    .locked, "\(path) holds an identity that is not of the type AGE-SECRET-KEY-1",
                    remedy: "make one with age-keygen; plugins, SSH and hybrid keys are not supported",
                    underlying: error)
            }
        }
        guard !identities.isEmpty else {
            throw VaultError(.locked, "\(path) holds no identity", remedy: "make one with age-keygen -o \(path)")
        }
        return identities
    }
}

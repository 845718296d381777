public import KeyoverCore

/// Files of age identities, as `age-keygen` writes them: one `AGE-SECRET-KEY-1...` a line, comments and empty lines.
public enum IdentityFile {
    /// The identities in a file that only its owner may read.
    public static func read(_ path: String) throws(VaultError) -> [any AgeIdentity] {
        try parse(PrivateFile.read(path, limit: ServiceCredential.limit), path)
    }

    /// The identities in a credential of a service.
    public static func readCredential(_ name: String, in directory: String) throws(VaultError) -> [any AgeIdentity] {
        try parse(ServiceCredential.read(name, in: directory), "\(directory)/\(name)")
    }

    /// The identities in the text of an identity file, wherever it lies.
    public static func identities(in text: SecretValue, at place: String) throws(VaultError) -> [any AgeIdentity] {
        guard text.count <= ServiceCredential.limit else { throw VaultError(.tooLarge, "\(place) is too large") }
        return try parse(text, place)
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

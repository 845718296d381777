import Glibc
public import KeyoverCore
public import KeyoverSealing

extension FileVault {
    /// Makes an empty vault in a folder that does not exist or is empty; the answer is what configuration pins.
    ///
    /// All is made in a fresh folder beside it and then renamed, which the kernel does for exactly one of several
    /// attempts at once, and wholly or not at all.
    public static func create(
        at path: String, recipients: [any AgeRecipient]
    ) async throws(VaultError) -> VaultPin {
        try await Offloaded.run { () throws(VaultError) in
            let target = try Target(path)
            let keyring = Keyring.generate(vaultID: freshID())
            do throws(VaultError) {
                try target.fill(keyring, recipients)
                try target.publish()
            } catch {
                target.discard()
                throw error
            }
            return VaultPin(vaultID: keyring.vaultID, commitment: keyring.commitment)
        }
    }

    private static func freshID() -> UUIDv7 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var generator = SystemRandomNumberGenerator()
        let milliseconds = Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
        return UUIDv7(at: Timestamp(millisecondsSinceEpoch: milliseconds), using: &generator)
    }
}

/// A vault's folder on its way into existence.
private struct Target {
    let path: String
    let parent: String
    let folder: PrivateDirectory

    init(_ path: String) throws(VaultError) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        guard let name = path.split(separator: "/").last, name != ".", name != ".." else {
            throw VaultError(
                .invalid, "\(path) is no folder for a vault", remedy: "name a folder that does not exist yet")
        }
        let prefix = path.dropLast(name.count)
        self.path = path
        parent = prefix.isEmpty ? "." : String(prefix)
        try Self.refuseOccupied(path)
        let word = Hex.encode((0..<8).map { _ in UInt8.random(in: .min ... .max) })
        folder = try PrivateDirectory.make("\(prefix).\(name).new-\(word)")
    }

    func fill(_ keyring: Keyring, _ recipients: [any AgeRecipient]) throws(VaultError) {
        let keyFile = try KeyFile(keyring).sealed(to: recipients)
        try folder.create(FileVaultSchema.keyFileName, SecretValue(copying: keyFile))
        try folder.create(FileVaultSchema.databaseName, SecretValue(copying: []))
        try Connections.create("\(folder.path)/\(FileVaultSchema.databaseName)") { rows in
            try VaultWriter.initialize(rows, keyring)
        }
        try folder.synchronize()
    }

    func publish() throws(VaultError) {
        guard rename(folder.path, path) == 0 else {
            let number = errno
            try Self.refuseOccupied(path)
            throw VaultError(
                .unavailable, "cannot create \(path): \(String(cString: strerror(number)))",
                remedy: "choose a folder that you may create")
        }
        let descriptor = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    func discard() {
        for name in [FileVaultSchema.databaseName, FileVaultSchema.keyFileName] {
            for suffix in ["", "-wal", "-shm"] { unlink("\(folder.path)/\(name)\(suffix)") }
        }
        rmdir(folder.path)
    }

    private static func refuseOccupied(_ path: String) throws(VaultError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR, isEmpty(path) else {
            throw VaultError(
                .exists, "there is something at \(path) already; nothing was changed",
                remedy: "open it with keyover vault status, or choose another place")
        }
    }

    private static func isEmpty(_ path: String) -> Bool {
        guard let stream = opendir(path) else { return false }
        defer { closedir(stream) }
        var count = 0
        while readdir(stream) != nil { count += 1 }
        return count <= 2
    }
}

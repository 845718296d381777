import Glibc
public import KeyoverCore

/// The newest state of a vault that this host has seen, in a file `VAULT-ID.counter` of the state folder.
///
/// It is read before the database is, and raised after a commit: a copy of the vault from before is then told from the
/// vault. Raising is best effort, since the change it follows is durable already; `vault verify` reports a mark that
/// lags. An empty file counts as none, because power loss can leave one behind.
public struct HighWaterMark: Sendable {
    private let directory: String
    private let name: String

    /// The mark of a vault in a state folder, which need not exist yet.
    public init(stateDirectory: String, vaultID: UUIDv7) {
        directory = stateDirectory
        name = "\(vaultID).counter"
    }

    /// The mark of one entry of a vault that has no mark as a whole, in a folder `VAULT-ID.seen` of the state folder.
    public init(stateDirectory: String, vaultID: UUIDv7, entry lookup: [UInt8]) {
        directory = Self.entryFolder(stateDirectory, vaultID)
        name = Hex.encode(lookup.prefix(16))
    }

    /// The folder of the marks of a vault's entries.
    public static func entryFolder(_ stateDirectory: String, _ vaultID: UUIDv7) -> String {
        "\(stateDirectory)/\(vaultID).seen"
    }

    /// The newest state seen, or `nil` when none was.
    public func read() throws(VaultError) -> VaultMark? {
        let text: SecretValue
        do {
            text = try PrivateFile.read("\(directory)/\(name)", limit: 64)
        } catch {
            if error.code == .missing { return nil }
            throw error
        }
        if text.isEmpty { return nil }
        let mark = text.withUnsafeSecretBytes { Self.parse(String(decoding: $0, as: UTF8.self)) }
        guard let mark else {
            throw VaultError(
                .notTrusted, "\(directory)/\(name) is not a high-water mark",
                remedy: "remove it if you know that the vault is the newest one")
        }
        return mark
    }

    /// Raises the mark unless it is as high already.
    public func raise(to mark: VaultMark) throws(VaultError) {
        // A service manager may have made the folder readable for others, and the mark is no secret.
        let folder = try PrivateDirectory.make(directory, rule: .ownerWrites)
        let lock = openat(folder.descriptor, name + ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw SystemError.last("cannot open \(directory)/\(name).lock") }
        defer { close(lock) }
        while flock(lock, LOCK_EX) != 0 {
            guard errno == EINTR else { throw SystemError.last("cannot lock \(directory)/\(name).lock") }
        }
        if let present = try read(), present >= mark { return }
        // The mark follows a change that is durable already; one lost to a power cut lags, and that is noticed.
        try folder.replace(name, SecretValue(copying: "\(mark)\n".utf8), durably: false)
    }

    /// Forgets the mark, best effort.
    public func remove() {
        unlink("\(directory)/\(name)")
    }

    private static func parse(_ text: String) -> VaultMark? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let epoch = UInt64(parts[0]), parts[1].last == "\n",
            let counter = UInt64(parts[1].dropLast())
        else { return nil }
        return VaultMark(epoch: epoch, counter: counter)
    }
}

import FoundationEssentials
public import KeyoverCore

/// What a backup says about itself: the last member of the archive, which vouches for all before it.
public struct BackupManifest: Equatable, Sendable {
    /// The newest format.
    public static let formatVersion = 1

    /// The vault's id.
    public let vaultID: UUIDv7
    /// The state that the vault was in.
    public let mark: VaultMark
    /// When the backup was made, by the wall clock.
    public let createdAt: Timestamp
    /// The host that made it.
    public let host: String

    /// What a backup says about itself.
    public init(vaultID: UUIDv7, mark: VaultMark, createdAt: Timestamp, host: String) {
        self.vaultID = vaultID
        self.mark = mark
        self.createdAt = createdAt
        self.host = host
    }

    /// The manifest's bytes: JSON that ends with the digest of all before and the vault's own MAC over everything.
    func encoded(digest: [UInt8], _ keyring: Keyring) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let form = Form(
            format: Self.formatVersion, vault: vaultID, epoch: mark.epoch, counter: mark.counter, createdAt: createdAt,
            host: host, digest: Hex.encode(digest), mac: Hex.encode(mac(digest, keyring)))
        return Array(try encoder.encode(form)) + [10]
    }

    /// Reads a manifest and holds it to the digest of what came before it and to the vault's keys.
    init(_ bytes: [UInt8], digest: [UInt8], _ keyFile: KeyFile) throws(VaultError) {
        guard let form = try? JSONDecoder().decode(Form.self, from: Data(bytes)) else {
            throw Self.damaged("its manifest is unreadable")
        }
        guard form.format == Self.formatVersion else {
            throw VaultError(
                .newerFormat, "the backup is of format \(form.format), made by a newer Keyover",
                remedy: "install the newer Keyover on this machine")
        }
        self.init(
            vaultID: form.vault, mark: VaultMark(epoch: form.epoch, counter: form.counter), createdAt: form.createdAt,
            host: form.host)
        guard form.vault == keyFile.vaultID, let keyring = keyFile.keyring(epoch: form.epoch) else {
            throw Self.damaged("its keys are not those of its vault")
        }
        guard let named = Hex.decode(form.digest), let mac = Hex.decode(form.mac),
            Primitives.areEqual(named, digest), Primitives.areEqual(mac, self.mac(digest, keyring))
        else { throw Self.damaged("it is not what the vault wrote") }
    }

    static func damaged(_ why: String) -> VaultError {
        VaultError(
            .notTrusted, "the backup cannot be trusted: \(why)", remedy: "restore another backup; nothing was changed")
    }

    private func mac(_ digest: [UInt8], _ keyring: Keyring) -> [UInt8] {
        var transcript = Transcript("keyover backup 1")
        transcript.append(vaultID.bytes)
        transcript.append(mark.epoch)
        transcript.append(mark.counter)
        transcript.append(UInt64(bitPattern: createdAt.millisecondsSinceEpoch))
        transcript.append(host)
        transcript.append(digest)
        return Primitives.authenticate(transcript.bytes, with: keyring.backupKey)
    }

    private struct Form: Codable {
        let format: Int
        let vault: UUIDv7
        let epoch: UInt64
        let counter: UInt64
        let createdAt: Timestamp
        let host: String
        let digest: String
        let mac: String
    }
}

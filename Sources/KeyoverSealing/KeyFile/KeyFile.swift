public import KeyoverCore

/// The plaintext of `vault.key.age`: the keys of a vault as lines of text, so that a person with the stock `age` program
/// and docs/vault-format.md can do without Keyover.
///
/// A file for a metadata-only grant has `value-commitment` in place of `value-key`, and no `value-survivor`. While a
/// vault is being rekeyed the file holds two epochs; the database says which one is in force. The file also lists who it
/// is encrypted to, which age's own header does not tell, so that it can be written anew for the same people.
public struct KeyFile: Sendable {
    private static let title = "keyover vault keys 1"

    /// The keys of each epoch in the file, oldest first.
    public private(set) var keyrings: [Keyring]
    /// Who can open the vault.
    public private(set) var access: VaultAudience

    /// A file that holds one epoch.
    public init(_ keyring: Keyring, for access: VaultAudience) {
        self.init([keyring], for: access)
    }

    /// The vault's id.
    public var vaultID: UUIDv7 { keyrings[0].vaultID }

    /// The keys of an epoch, when they are in the file.
    public func keyring(epoch: UInt64) -> Keyring? {
        keyrings.first { $0.epoch == epoch }
    }

    /// Whether the file holds the keys of more than one epoch, as it does while the vault is being rekeyed.
    public var isBetweenEpochs: Bool { keyrings.count > 1 }

    /// The same file without what opens values, for a grant.
    public var metadataOnly: KeyFile { KeyFile(keyrings.map(\.metadataOnly), for: access) }

    /// A file that holds these epochs, oldest first; at least one.
    public init(_ keyrings: [Keyring], for access: VaultAudience) {
        precondition(!keyrings.isEmpty, "a key file holds the keys of an epoch at least")
        self.keyrings = keyrings
        self.access = access
    }

    /// Opens an age file and reads the keys in it.
    public static func open(_ file: [UInt8], with identities: [any AgeIdentity]) throws(VaultError) -> KeyFile {
        let text: SecretValue
        do {
            text = try AgeFile.decrypt(file, with: identities)
        } catch {
            switch error.code {
            case .noMatch where identities.contains { $0 is ScryptPassphrase }:
                throw VaultError(
                    .locked, "the passphrase does not open the vault's key file",
                    remedy: "run the command again, or give an identity with --identity FILE", underlying: error)
            case .noMatch:
                throw VaultError(
                    .locked, "no identity opens the vault's key file",
                    remedy: "give the right one with --identity FILE or KEYOVER_IDENTITY_FILE", underlying: error)
            case .armor, .header, .hmac, .payload, .unsupported, .key:
                throw VaultError(
                    .notTrusted, "the vault's key file is damaged: \(error)",
                    remedy: VaultError.restoreBackup, underlying: error)
            }
        }
        return try KeyFile(parsing: text)
    }

    /// The keys as an armored age file for recipients.
    public func sealed(to recipients: [any AgeRecipient]) throws(VaultError) -> [UInt8] {
        do {
            return try AgeFile.encrypt(encoded(), to: recipients, armored: true)
        } catch {
            throw VaultError(.invalid, "the key file cannot be written: \(error)", underlying: error)
        }
    }

    /// The text.
    func encoded() -> SecretValue {
        var text = SecretText()
        text.append("\(Self.title)\nvault: \(vaultID)\n")
        for recipient in access.full { text.append("recipient: \(recipient)\n") }
        for recipient in access.metadataOnly { text.append("metadata-recipient: \(recipient)\n") }
        text.append("metadata-survivor", keyrings[0].metadataSurvivor)
        if let side = keyrings[0].valueSide { text.append("value-survivor", side.survivor) }
        for keyring in keyrings {
            text.append("epoch: \(keyring.epoch)\n")
            text.append("metadata-key", keyring.metadataKey)
            if let side = keyring.valueSide {
                text.append("value-key", side.key)
            } else {
                text.append("value-commitment: \(Hex.encode(keyring.valueCommitment))\n")
            }
            text.append("commitment: \(Hex.encode(keyring.commitment))\n")
        }
        return text.finish()
    }

    /// Reads the text; every line must be known, in place and well-formed, and every commitment must fit its keys.
    init(parsing text: SecretValue) throws(VaultError) {
        var lines = SecretLines(text)
        guard lines.takeLine(Self.title) else {
            throw VaultError(
                .newerFormat, "the key file is not of a kind that this Keyover knows",
                remedy: "install the newer Keyover on this machine too")
        }
        guard let vaultID = lines.takeText("vault").flatMap({ UUIDv7($0) }),
            let full = lines.takeAll("recipient", as: VaultRecipient.init),
            let metadataOnly = lines.takeAll("metadata-recipient", as: VaultRecipient.init),
            let audience = try? VaultAudience(full: full, metadataOnly: metadataOnly),
            let survivor = lines.takeKey("metadata-survivor")
        else { throw Self.malformed() }
        access = audience
        let valueSurvivor = lines.takeKey("value-survivor")
        keyrings = []
        while let epoch = lines.takeText("epoch") {
            guard let epoch = UInt64(epoch), epoch > keyrings.last?.epoch ?? 0,
                let metadataKey = lines.takeKey("metadata-key")
            else { throw Self.malformed() }
            var side: Keyring.ValueSide?
            var valueCommitment = lines.takeText("value-commitment").flatMap { Hex.decode($0) }
            if let valueSurvivor, let key = lines.takeKey("value-key") {
                let whole = Keyring.ValueSide(key: key, survivor: valueSurvivor)
                valueCommitment = Keyring.commit(whole, vaultID: vaultID, epoch: epoch)
                side = whole
            }
            guard let valueCommitment, valueCommitment.count == 32 else { throw Self.malformed() }
            let keyring = Keyring(
                vaultID: vaultID, epoch: epoch, metadataKey: metadataKey, metadataSurvivor: survivor,
                valueSide: side, valueCommitment: valueCommitment)
            guard lines.takeText("commitment") == Hex.encode(keyring.commitment) else { throw Self.malformed() }
            keyrings.append(keyring)
        }
        guard !keyrings.isEmpty, lines.isAtEnd else { throw Self.malformed() }
    }

    private static func malformed() -> VaultError {
        VaultError(.corrupt, "the key file is authentic but malformed", remedy: VaultError.restoreBackup)
    }
}

public import KeyoverCore

/// The keys of a vault in one epoch, as far as the holder was granted them.
///
/// There are two sides. The *metadata* side opens what lists, schedules and audits need; the *value* side opens secret
/// values. Each side has a key of the epoch, replaced by `vault rekey`, and a survivor, which stays for the vault's whole
/// life so that names are still found and fingerprints still match. A metadata-only grant lacks the value side and
/// holds a commitment in its place.
public struct Keyring: Sendable {
    /// The side that opens secret values.
    struct ValueSide: Sendable {
        let key: SecretValue
        let survivor: SecretValue
    }

    /// The vault's id.
    public let vaultID: UUIDv7
    /// The number of the epoch, rising by one with each rekeying; begins at 1.
    public let epoch: UInt64
    /// Names the keys without telling them: configuration pins it (32 bytes).
    public let commitment: [UInt8]

    let metadataKey: SecretValue
    let metadataSurvivor: SecretValue
    let valueSide: ValueSide?
    let valueCommitment: [UInt8]
    let treeKey: SecretValue
    /// Authenticates backups made in this epoch.
    var backupKey: SecretValue { Self.subkey(of: metadataKey, "backup", vaultID) }
    private let lookupKey: SecretValue

    /// Whether secret values can be opened and written.
    public var opensValues: Bool { valueSide != nil }

    /// Fresh keys for a new vault.
    public static func generate(vaultID: UUIDv7) -> Keyring {
        let side = ValueSide(key: Primitives.randomSecret(32), survivor: Primitives.randomSecret(32))
        return Keyring(
            vaultID: vaultID, epoch: 1, metadataKey: Primitives.randomSecret(32),
            metadataSurvivor: Primitives.randomSecret(32), valueSide: side,
            valueCommitment: commit(side, vaultID: vaultID, epoch: 1))
    }

    /// Fresh keys for a later epoch of the same vault, with the same survivors.
    ///
    /// - Throws: `VaultError` with `.noValueAccess` when the value side was not granted.
    public func successor(epoch: UInt64) throws(VaultError) -> Keyring {
        precondition(epoch > self.epoch, "epochs rise")
        let side = ValueSide(
            key: Primitives.randomSecret(32), survivor: try requireValueSide(for: "new keys").survivor)
        return Keyring(
            vaultID: vaultID, epoch: epoch, metadataKey: Primitives.randomSecret(32),
            metadataSurvivor: metadataSurvivor, valueSide: side,
            valueCommitment: Self.commit(side, vaultID: vaultID, epoch: epoch))
    }

    init(
        vaultID: UUIDv7, epoch: UInt64, metadataKey: SecretValue, metadataSurvivor: SecretValue,
        valueSide: ValueSide?, valueCommitment: [UInt8]
    ) {
        self.vaultID = vaultID
        self.epoch = epoch
        self.metadataKey = metadataKey
        self.metadataSurvivor = metadataSurvivor
        self.valueSide = valueSide
        self.valueCommitment = valueCommitment
        lookupKey = Self.subkey(of: metadataSurvivor, "lookup", vaultID)
        treeKey = Self.subkey(of: metadataKey, "tree", vaultID)
        var transcript = Transcript("keyover commitment 1")
        transcript.append(vaultID.bytes)
        transcript.append(epoch)
        transcript.append(Primitives.authenticate(Array("metadata survivor".utf8), with: metadataSurvivor))
        transcript.append(valueCommitment)
        commitment = Primitives.authenticate(transcript.bytes, with: metadataKey)
    }

    /// The same keys without the side that opens values, for a grant.
    public var metadataOnly: Keyring {
        Keyring(
            vaultID: vaultID, epoch: epoch, metadataKey: metadataKey, metadataSurvivor: metadataSurvivor,
            valueSide: nil, valueCommitment: valueCommitment)
    }

    /// The key for one purpose, the same in every epoch; the purposes of the value side need its survivor.
    public func derivedKey(for purpose: KeyPurpose) throws(VaultError) -> SecretValue {
        switch purpose {
        case .audit:
            return Self.subkey(of: metadataSurvivor, purpose.rawValue, vaultID)
        case .fingerprint:
            guard let valueSide else { throw Self.noValueAccess("fingerprints") }
            return Self.subkey(of: valueSide.survivor, purpose.rawValue, vaultID)
        }
    }

    /// Throws `VaultError` with `.noValueAccess` where only metadata was granted.
    ///
    /// - Parameter what: What needs the value key, in the plural, for the error's text.
    public func demandValues(for what: String) throws(VaultError) {
        _ = try requireValueSide(for: what)
    }

    /// The side that opens values, or the error that says it was not granted.
    func requireValueSide(for what: String) throws(VaultError) -> ValueSide {
        guard let valueSide else { throw Self.noValueAccess(what) }
        return valueSide
    }

    /// What a name is stored under: the same name, the same 32 bytes, and nobody without the key learns which.
    func lookup(kind: String, name: String) -> [UInt8] {
        var transcript = Transcript("keyover lookup")
        transcript.append(kind)
        transcript.append(name)
        return Primitives.authenticate(transcript.bytes, with: lookupKey)
    }

    static func commit(_ side: ValueSide, vaultID: UUIDv7, epoch: UInt64) -> [UInt8] {
        var transcript = Transcript("keyover value commitment 1")
        transcript.append(vaultID.bytes)
        transcript.append(epoch)
        transcript.append(Primitives.authenticate(Array("value survivor".utf8), with: side.survivor))
        return Primitives.authenticate(transcript.bytes, with: side.key)
    }

    private static func subkey(of key: SecretValue, _ purpose: String, _ vaultID: UUIDv7) -> SecretValue {
        Primitives.derive(key, salt: vaultID.bytes, info: Array("keyover \(purpose) 1".utf8), count: 32)
    }

    private static func noValueAccess(_ what: String) -> VaultError {
        VaultError(
            .noValueAccess, "this identity was granted metadata only, and \(what) need the value key",
            remedy: "use an identity that keyover vault status lists with value access: --identity FILE")
    }
}

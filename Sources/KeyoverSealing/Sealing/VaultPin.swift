public import KeyoverCore

/// What configuration remembers of the vault it trusts, so that a key file put in its place is noticed.
public struct VaultPin: Equatable, Sendable {
    /// The vault's id; `nil` accepts any.
    public var vaultID: UUIDv7?
    /// The commitments (32 bytes each) of which its keys must have one; none accepts any keys.
    ///
    /// There are two while the vault is being rekeyed: those of the old keys and those of the new ones.
    public var commitments: [[UInt8]]

    /// A pin of either or both.
    public init(vaultID: UUIDv7?, commitments: [[UInt8]]) {
        self.vaultID = vaultID
        self.commitments = commitments
    }

    /// A pin of either or both, with one commitment.
    public init(vaultID: UUIDv7?, commitment: [UInt8]?) {
        self.init(vaultID: vaultID, commitments: commitment.map { [$0] } ?? [])
    }

    /// The pin of a vault in one epoch.
    public init(_ keyring: Keyring) {
        self.init(vaultID: keyring.vaultID, commitment: keyring.commitment)
    }

    /// Reads commitments as configuration writes them: 64 hexadecimal digits each, with a space between them.
    public static func commitments(_ text: String) -> [[UInt8]]? {
        var commitments: [[UInt8]] = []
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            guard let bytes = Hex.decode(String(word)), bytes.count == 32 else { return nil }
            commitments.append(bytes)
        }
        return commitments
    }

    /// The commitments as configuration writes them.
    public var commitmentText: String { commitments.map(Hex.encode).joined(separator: " ") }

    /// Refuses keys that are not the pinned ones.
    public func check(_ keyring: Keyring) throws(VaultError) {
        try check(keyring.vaultID, [keyring])
    }

    /// Refuses a key file none of whose epochs is a pinned one; who does not hold the pinned keys cannot make one that is.
    public func check(_ file: KeyFile) throws(VaultError) {
        try check(file.vaultID, file.keyrings)
    }

    private func check(_ id: UUIDv7, _ keyrings: [Keyring]) throws(VaultError) {
        if let vaultID, vaultID != id {
            throw VaultError(
                .notTrusted, "the vault's id is \(id), but configuration pins \(vaultID)",
                remedy: "check --vault; if the vault was replaced on purpose, set vault_id in config.yaml")
        }
        let fits = commitments.flatMap { pinned in keyrings.map { Primitives.areEqual(pinned, $0.commitment) } }
        if !fits.isEmpty, !fits.contains(true) {
            throw VaultError(
                .notTrusted, "the vault's keys are not the ones that configuration pins",
                remedy: "if the vault was rekeyed on purpose, set key_commitment in config.yaml to what "
                    + "keyover vault status prints on the machine where it was done")
        }
    }
}

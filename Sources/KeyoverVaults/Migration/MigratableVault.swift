public import KeyoverCore
public import KeyoverSealing

/// A vault that another one, at any place, can go on from; for `vault migrate`.
public protocol MigratableVault: RekeyableVault, InspectableVault {
    /// The keys in force.
    var keyring: Keyring { get }
    /// Who opened the vault, and can write a key file for its audience.
    var identities: [any AgeIdentity] { get }
}

extension MigratableVault {
    /// What the next vault is made with: fresh keys of the next epoch and the same survivors, so that names are found,
    /// fingerprints match and the audit log goes on.
    ///
    /// - Throws: `VaultError` with `.noValueAccess` for an identity that opens metadata only, and `.conflict` for a vault
    ///   that is between two epochs.
    public func succession(reach: VaultReach) throws(VaultError) -> VaultCreation {
        try keyring.demandValues(for: "migrations")
        guard !isBetweenEpochs else {
            throw VaultError(
                .conflict, "the vault was not rekeyed to the end", remedy: "run keyover vault rekey, then migrate")
        }
        return VaultCreation(
            for: try audience.recipients(knowing: identities), keyring: try keyring.successor(epoch: keyring.epoch + 1),
            reach: reach)
    }
}

extension FileVault: MigratableVault {}

extension EntryVault: MigratableVault {
    /// The keys in force.
    public var keyring: Keyring { sealing.keyring }
}

public import KeyoverCore
public import KeyoverSealing

/// A vault whose keys can be replaced, and whose key file can be written for other people; for `vault rekey|grant`.
///
/// **Crash safety.** A crash at any instant leaves a vault that opens with what configuration pins at that instant, in the
/// old epoch or in the new one; running the same call again finishes the job.
///
/// **After it.** The keys that this value holds are no longer those of the vault: open the vault again.
public protocol RekeyableVault: Vault {
    /// Who can open the vault.
    var audience: VaultAudience { get }
    /// Whether a rekeying was interrupted; rekeying again finishes it.
    var isBetweenEpochs: Bool { get }

    /// Replaces all keys, seals everything anew and begins the next epoch.
    ///
    /// - Parameters:
    ///   - audience: Who can open the vault from now on; the caller's own identity must be among those with full access.
    ///   - passphrase: The new passphrase, where the audience is a passphrase and the caller's is not to stay.
    ///   - restoration: Set when the vault lies there as an older copy of itself, which is accepted thereby: each
    ///     client is marked with it, and the new epoch is above all that this host has seen.
    ///   - pinning: Makes configuration accept exactly these commitments; called with the old and the new one before
    ///     the change, and with the new one after it.
    func rekey(
        for audience: VaultAudience, passphrase: ScryptPassphrase?, marking restoration: Restoration?,
        pinning: @Sendable ([[UInt8]]) throws(VaultError) -> Void
    ) async throws(VaultError) -> VaultPin

    /// Lets more people open the vault with the keys that it has; nobody is taken away by it.
    func grant(to audience: VaultAudience) async throws(VaultError)
}

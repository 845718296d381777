import KeyoverCore
import KeyoverSealing

extension VaultAudience {
    /// Refuses an audience that the caller would not belong to.
    func demandAccess(of identities: [any AgeIdentity]) throws(VaultError) {
        let recipients = try recipients(knowing: identities)
        do {
            _ = try AgeFile.decrypt(AgeFile.encrypt(SecretValue(copying: [0]), to: recipients), with: identities)
        } catch {
            throw VaultError(
                .invalid, "your own identity would not open the vault any more",
                remedy: "run the command with the identity of somebody who stays: --identity FILE", underlying: error)
        }
    }

    /// Refuses an audience that somebody would be missing from, or could open less with than before.
    func demandSubset(of next: VaultAudience) throws(VaultError) {
        guard Set(full).isSubset(of: next.full), Set(metadataOnly).isSubset(of: next.metadataOnly + next.full) else {
            throw VaultError(
                .conflict, "somebody else has changed who can open the vault", remedy: "run the command again",
                isRetryable: true)
        }
    }
}

public import KeyoverCore

extension VaultError {
    /// What to do with a vault that is damaged.
    public static let restoreBackup = "restore the newest backup: keyover vault restore FILE --replace"

    /// The one wording for all that can only come from a hand or a fault outside of Keyover.
    public static func tampered(_ what: String) -> VaultError {
        VaultError(
            .notTrusted, "the vault was changed by something other than Keyover: \(what)",
            remedy: "see how far the damage goes with keyover vault verify, then " + restoreBackup)
    }
}

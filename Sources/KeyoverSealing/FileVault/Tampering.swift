public import KeyoverCore

extension VaultError {
    /// The one wording for all that can only come from a hand or a fault outside of Keyover.
    public static func tampered(_ what: String) -> VaultError {
        VaultError(
            .notTrusted, "the vault was changed by something other than Keyover: \(what)",
            remedy: "run keyover vault verify to see how far the damage goes, then restore a backup")
    }
}

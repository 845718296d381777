/// The text that a minted secret bears where the provider's list shows it: whose it is, and which mint made it.
///
/// The first part comes from the id of the client's record, which leaves the vault nowhere else but into its log, so that
/// a secret that came after a backup is still known for this vault's.
public enum MintTag {
    /// A tag for one mint, which `word` tells apart from all others.
    public static func fresh(for client: ClientRecord, word: String) -> String { prefix(client) + word }

    /// Whether a tag was given by this vault to a secret of this client.
    public static func isOurs(_ tag: String?, _ client: ClientRecord) -> Bool {
        tag?.hasPrefix(prefix(client)) ?? false
    }

    /// The last half of the id, most of it random.
    private static func prefix(_ client: ClientRecord) -> String {
        "keyover-\(Hex.encode(client.id.bytes.suffix(8)))-"
    }
}

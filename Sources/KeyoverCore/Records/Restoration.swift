/// The mark of a client that came out of a backup and is not verified yet: the provider may have moved on since.
///
/// While it stands, nothing of the client is given out and nothing is written to its provider. `keyover recover` takes it
/// away, once a secret is proven to work.
public struct Restoration: Codable, Equatable, Sendable {
    /// When the backup was restored.
    public var at: Timestamp
    /// When the backup was made.
    public var backedUpAt: Timestamp

    /// The mark of a restore.
    public init(at: Timestamp, backedUpAt: Timestamp) {
        self.at = at
        self.backedUpAt = backedUpAt
    }
}

/// The mark of a client that came out of a backup and is not verified yet: the provider may have moved on since.
///
/// While it stands, nothing of the client is given out and nothing is written to its provider, but by the rotation that
/// recovers it. `keyover recover` takes it away, once a secret is proven to work.
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

extension ClientRecord {
    /// How far a restore lets the generation jump.
    ///
    /// After the backup readers may have been given generations that it does not know of. None of their numbers may come
    /// to mean another secret.
    public static let restoredGenerationLeap: UInt64 = 1000

    /// Marks the client as one that came out of a backup.
    public mutating func mark(_ restoration: Restoration) {
        restored = restoration
        generation += Self.restoredGenerationLeap
    }

    /// Whether the rotation in progress is the one that replaces what the backup brought back dead.
    ///
    /// One that an older backup had begun to recover is as stale as any other.
    public var isUnderRecovery: Bool { restored != nil && rotation?.recovery == restored }

    /// Throws while nobody knows whether what the record says of its secrets is still true.
    public func requireVerified() throws(RotationError) {
        guard let restored else { return }
        throw RotationError(
            .restored,
            "\(name) came out of a backup of \(restored.backedUpAt), and its secrets have not been verified since",
            remedy: isUnderRecovery ? "run keyover resume \(name)" : "run keyover recover \(name)")
    }
}

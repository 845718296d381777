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

/// A record in which a restore leaves a trace.
public protocol RestorableRecord: VaultRecord {
    /// Makes the record one that came out of a backup.
    mutating func mark(_ restoration: Restoration)
}

extension TenantRecord: RestorableRecord {
    /// Whoever restores a backup says that the truth is here, so the mark of a move goes.
    public mutating func mark(_ restoration: Restoration) { moved = nil }
}

extension ClientRecord: RestorableRecord {
    /// How far a restore lets the generation jump.
    ///
    /// After the backup readers may have been given generations that it does not know of. None of their numbers may come
    /// to mean another secret.
    public static let restoredGenerationLeap: UInt64 = 1000

    /// Marks the client as one that came out of a backup.
    ///
    /// Whoever restores a backup says that the truth is here, so the mark of a move goes.
    public mutating func mark(_ restoration: Restoration) {
        restored = restoration
        moved = nil
        generation += Self.restoredGenerationLeap
    }

    /// Whether the rotation in progress is the one that replaces what the backup brought back dead.
    ///
    /// One that an older backup had begun to recover is as stale as any other; and a client that has moved is recovered
    /// where it lives.
    public var isUnderRecovery: Bool { moved == nil && restored != nil && rotation?.recovery == restored }

    /// Throws while nobody knows whether what the record says of its secrets is still true.
    public func requireVerified() throws(RotationError) {
        try requireHere()
        guard let restored else { return }
        throw RotationError(
            .restored,
            "\(name) came out of a backup of \(restored.backedUpAt), and its secrets have not been verified since",
            remedy: isUnderRecovery ? "run keyover resume \(name)" : "run keyover recover \(name)")
    }
}

public import KeyoverCore
public import KeyoverSealing

/// A vault that can be taken out whole, in one state; for `vault backup`.
public protocol PortableVault: Vault {
    /// Who can open the vault.
    var audience: VaultAudience { get }

    /// Writes a backup that the vault's full audience can open, and nobody else unless named.
    ///
    /// - Parameters:
    ///   - label: When and where the backup is made.
    ///   - others: Who else can open it.
    ///   - logs: Adds the audit logs, after everything that is in the vault.
    ///   - sink: Takes the encrypted bytes in order; what it throws ends the backup.
    /// - Throws: `VaultError` with `.noValueAccess` for an identity that opens metadata only.
    func backUp(
        _ label: BackupLabel, alsoTo others: [X25519Recipient], logs: @escaping @Sendable (BackupWriter) throws -> Void,
        sink: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
    ) async throws(VaultError) -> BackupManifest
}

/// When and where a backup was made.
public struct BackupLabel: Sendable {
    /// When, by the wall clock.
    public let createdAt: Timestamp
    /// The host.
    public let host: String

    /// When and where a backup was made.
    public init(createdAt: Timestamp, host: String) {
        self.createdAt = createdAt
        self.host = host
    }
}

/// A backend that can make a vault out of a backup; for `vault restore`.
public protocol RestoringBackend: VaultBackend {
    /// Makes a vault out of a backup: in a new epoch, under new keys, with every client marked.
    ///
    /// A crash leaves what was at the place before, or the restored vault; what was there before is kept beside it.
    static func restore(_ url: VaultURL, _ plan: RestorePlan) async throws(VaultError) -> RestoredVault
}

/// What is to be restored, and how.
public struct RestorePlan: Sendable {
    /// Reads the backup from its beginning to its end; called once.
    public let read: @Sendable ((BackupContent) throws -> Void) throws(VaultError) -> BackupManifest
    /// Who opens the restored vault; the caller must be among the audience.
    public let identities: [any AgeIdentity]
    /// Who can open it besides the backup's own audience.
    public let others: [VaultRecipient]
    /// What each client is marked with.
    public let restoration: Restoration
    /// Answers the newest state of the vault that this host has seen; asked when nobody gives the vault new keys any
    /// more, since the new epoch is above it.
    public let highest: @Sendable () throws(VaultError) -> VaultMark?
    /// Whether something that lies at the place gives way; it is kept under another name.
    public let replaces: Bool
    /// Makes configuration accept the new keys; called right before the vault appears at its place.
    public let pinning: @Sendable (VaultPin) throws(VaultError) -> Void

    /// What is to be restored, and how.
    public init(
        identities: [any AgeIdentity], others: [VaultRecipient], restoration: Restoration,
        highest: @escaping @Sendable () throws(VaultError) -> VaultMark?, replaces: Bool,
        pinning: @escaping @Sendable (VaultPin) throws(VaultError) -> Void,
        read: @escaping @Sendable ((BackupContent) throws -> Void) throws(VaultError) -> BackupManifest
    ) {
        self.read = read
        self.identities = identities
        self.others = others
        self.restoration = restoration
        self.highest = highest
        self.replaces = replaces
        self.pinning = pinning
    }
}

/// What a restore has made.
public struct RestoredVault: Sendable {
    /// What configuration pins.
    public let pin: VaultPin
    /// The state it is in.
    public let mark: VaultMark
    /// Where that lies which was at the place before.
    public let replaced: String?

    /// What a restore has made.
    public init(pin: VaultPin, mark: VaultMark, replaced: String?) {
        self.pin = pin
        self.mark = mark
        self.replaced = replaced
    }
}

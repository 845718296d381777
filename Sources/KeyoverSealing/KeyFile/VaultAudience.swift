public import KeyoverCore

/// Somebody who can open a vault: the holder of an X25519 identity, or whoever knows the passphrase.
public enum VaultRecipient: Hashable, Sendable, LosslessStringConvertible {
    /// The holder of the identity that belongs to a public key.
    case key(X25519Recipient)
    /// Whoever knows the passphrase; it is never written down.
    case passphrase

    /// Reads `age1...` or the word `passphrase`.
    public init?(_ description: String) {
        if description == "passphrase" {
            self = .passphrase
        } else if let key = X25519Recipient(description) {
            self = .key(key)
        } else {
            return nil
        }
    }

    /// The public key, or the word `passphrase`.
    public var description: String {
        switch self {
        case .key(let key): key.description
        case .passphrase: "passphrase"
        }
    }
}

/// Who can open a vault, and how far: everything, or what lists, schedules and audits need.
public struct VaultAudience: Equatable, Sendable {
    /// How many there can be in total; a header of age's format is bounded.
    public static let limit = 200

    /// Those who can open values too, in the order they were added.
    public let full: [VaultRecipient]
    /// Those who were granted metadata only.
    public let metadataOnly: [VaultRecipient]

    /// An audience of people with keys, or of everybody who knows a passphrase.
    ///
    /// - Throws: `VaultError` with `.invalid` for an audience that a key file cannot be encrypted to: nobody at all,
    ///   somebody twice, too many, or a passphrase that is not alone, which age's format forbids.
    public init(full: [VaultRecipient], metadataOnly: [VaultRecipient] = []) throws(VaultError) {
        let all = full + metadataOnly
        guard !full.isEmpty else {
            throw VaultError(.invalid, "nobody could open the vault", remedy: "name a recipient that stays")
        }
        guard Set(all).count == all.count else {
            throw VaultError(.invalid, "a recipient is named twice", remedy: "name each recipient once")
        }
        guard all.count <= Self.limit else {
            throw VaultError(.invalid, "a vault has at most \(Self.limit) recipients", remedy: "name fewer")
        }
        guard full == [.passphrase] || !full.contains(.passphrase), !metadataOnly.contains(.passphrase) else {
            throw VaultError(
                .invalid, "a passphrase must be the only way into a vault",
                remedy: "name public keys only, or only the passphrase")
        }
        self.full = full
        self.metadataOnly = metadataOnly
    }

    /// The audience that a vault is made for.
    ///
    /// - Throws: as the other initialiser, and for a recipient that is neither a key pair nor a passphrase.
    public init(of recipients: [any AgeRecipient]) throws(VaultError) {
        var full: [VaultRecipient] = []
        for recipient in recipients {
            switch recipient {
            case let key as X25519Recipient: full.append(.key(key))
            case is ScryptPassphrase: full.append(.passphrase)
            default: throw VaultError(.invalid, "a vault cannot remember a recipient of this kind")
            }
        }
        try self.init(full: full)
    }

    /// Those who can open values, as age wants them; the passphrase is taken from an identity that knows it.
    public func recipients(
        knowing identities: [any AgeIdentity]
    ) throws(VaultError) -> [any AgeRecipient] {
        var recipients: [any AgeRecipient] = []
        for recipient in full {
            switch recipient {
            case .key(let key):
                recipients.append(key)
            case .passphrase:
                guard let passphrase = identities.lazy.compactMap({ $0 as? ScryptPassphrase }).first else {
                    throw VaultError(.locked, "the passphrase of the vault is needed to write its key file")
                }
                recipients.append(passphrase)
            }
        }
        return recipients
    }

    /// Those who were granted metadata only, as age wants them.
    public var metadataRecipients: [any AgeRecipient] {
        metadataOnly.compactMap { recipient in
            guard case .key(let key) = recipient else { return nil }
            return key
        }
    }
}

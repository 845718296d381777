/// Which of a client's two secrets is meant.
public enum SlotName: String, Codable, CaseIterable, Sendable {
    /// The secret in force before a rotation and, when it completes, after it.
    case primary
    /// The secret that a rotation brings in.
    case secondary

    /// The other slot.
    public var other: SlotName { self == .primary ? .secondary : .primary }
}

/// One secret of a client with what is known about it.
public struct Slot: Codable, Equatable, Sendable {
    /// The client id that goes with this secret; the two slots differ where a new secret means a new client id.
    public var clientID: String
    /// The value; `nil` when the record was read without the value key.
    public var value: SecretValue?
    /// The provider's id of the secret, when it has one and it is known.
    public var secretID: SecretID?
    /// A keyed hash of the value, comparable only inside one vault.
    public var fingerprint: Fingerprint
    /// When the provider made it, as far as known.
    public var issuedAt: Timestamp?
    /// When the provider lets it expire by itself.
    public var expiresAt: Timestamp?
    /// When Keyover stored it.
    public var storedAt: Timestamp
    /// The newest exchange that proved it to work.
    public var verifiedAt: ClockReading?

    private enum CodingKeys: String, CodingKey {
        case clientID, secretID, fingerprint, issuedAt, expiresAt, storedAt, verifiedAt
    }

    /// A slot holding a value.
    public init(
        clientID: String, value: SecretValue?, secretID: SecretID? = nil, fingerprint: Fingerprint,
        issuedAt: Timestamp? = nil, expiresAt: Timestamp? = nil, storedAt: Timestamp, verifiedAt: ClockReading? = nil
    ) {
        self.clientID = clientID
        self.value = value
        self.secretID = secretID
        self.fingerprint = fingerprint
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.storedAt = storedAt
        self.verifiedAt = verifiedAt
    }
}

/// A provider's id of one secret, such as Entra's `keyId`; it is not secret.
public struct SecretID: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The id as the provider writes it.
    public let description: String

    /// An id as the provider writes it.
    public init(_ description: String) {
        self.description = description
    }

    /// Reads a plain string.
    public init(from decoder: any Decoder) throws {
        description = try decoder.singleValueContainer().decode(String.self)
    }

    /// Writes a plain string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// HMAC-SHA256 of a secret under a key of the vault that survives rekeying: equal values, equal fingerprints.
///
/// It lies in sealed metadata only and is never shown, sent or logged, since it would let a thief of the key test guesses.
public struct Fingerprint: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The 64 hexadecimal digits.
    public let hex: String
    /// Never the digits.
    public var description: String { "<fingerprint>" }

    /// A fingerprint from its 32 bytes.
    public init(bytes: some Sequence<UInt8>) {
        hex = Hex.encode(bytes)
    }

    /// Reads a plain string.
    public init(from decoder: any Decoder) throws {
        hex = try decoder.singleValueContainer().decode(String.self)
    }

    /// Writes a plain string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }
}

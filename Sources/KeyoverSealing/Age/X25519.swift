import Crypto
import FoundationEssentials
public import KeyoverCore

/// The public half of an X25519 key pair, written `age1...`.
public struct X25519Recipient: AgeRecipient, Hashable, LosslessStringConvertible {
    static let type = "X25519"
    private static let prefix = "age"

    let bytes: [UInt8]

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads `age1...`; `nil` when it is malformed.
    public init?(_ description: String) {
        guard let (prefix, bytes) = Bech32.decode(description.utf8), prefix == Self.prefix, bytes.count == 32 else {
            return nil
        }
        self.bytes = bytes
    }

    /// The `age1...` form.
    public var description: String {
        String(decoding: Bech32.encode(prefix: Self.prefix, bytes), as: UTF8.self)
    }

    /// Wraps the file key under a key agreed between a fresh key pair and the recipient.
    public func wrap(_ fileKey: SecretValue) throws(AgeError) -> AgeStanza {
        let ephemeral = Curve25519.KeyAgreement.PrivateKey()
        let share = Array(ephemeral.publicKey.rawRepresentation)
        let key = try Self.agree(ephemeral, with: bytes, share: share, recipient: bytes)
        return AgeStanza(
            type: Self.type, arguments: [String(decoding: StrictBase64.encode(share), as: UTF8.self)],
            body: try FileKeyWrap.wrap(fileKey, with: key))
    }

    /// The wrapping key; refuses points of low order, whose shared secret anybody knows.
    static func agree(
        _ scalar: Curve25519.KeyAgreement.PrivateKey, with point: [UInt8], share: [UInt8], recipient: [UInt8]
    ) throws(AgeError) -> SecretValue {
        do {
            let shared = try scalar.sharedSecretFromKeyAgreement(with: .init(rawRepresentation: point))
            // Not every build of swift-crypto refuses these by itself.
            let isZero = shared.withUnsafeBytes { raw in raw.reduce(0) { $0 | $1 } == 0 }
            guard !isZero else { throw AgeError(.header, "an X25519 share is a point of low order") }
            return shared.hkdfDerivedSymmetricKey(
                using: SHA256.self, salt: share + recipient, sharedInfo: Array("age-encryption.org/v1/X25519".utf8),
                outputByteCount: 32
            ).secretValue
        } catch {
            throw AgeError(.header, "an X25519 share is a point of low order")
        }
    }
}

/// The private half of an X25519 key pair, written `AGE-SECRET-KEY-1...`.
public struct X25519Identity: AgeIdentity {
    private static let prefix = "age-secret-key-"

    private let scalar: SecretValue
    /// The public half.
    public let recipient: X25519Recipient

    /// A fresh key pair.
    public static func generate() throws(AgeError) -> X25519Identity {
        try X25519Identity(scalar: Primitives.randomSecret(32))
    }

    /// Reads `AGE-SECRET-KEY-1...`.
    public init(_ text: SecretValue) throws(AgeError) {
        var bytes = try text.withUnsafeSecretBytes { raw throws(AgeError) -> [UInt8] in
            guard let (prefix, bytes) = Bech32.decode(raw), bytes.count == 32,
                raw.first == UInt8(ascii: "A"), prefix == Self.prefix
            else { throw AgeError(.key, "not an age identity of type X25519") }
            return bytes
        }
        try self.init(scalar: SecretValue(consuming: &bytes))
    }

    private init(scalar: SecretValue) throws(AgeError) {
        self.scalar = scalar
        do {
            let key = try scalar.withUnsafeSecretBytes { try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: $0) }
            recipient = X25519Recipient(bytes: Array(key.publicKey.rawRepresentation))
        } catch {
            throw AgeError(.key, "not an X25519 scalar")
        }
    }

    /// The `AGE-SECRET-KEY-1...` form, as `age-keygen` writes it.
    public var encoded: SecretValue {
        scalar.withUnsafeSecretBytes { raw in
            var bytes = Array(raw)
            defer { Primitives.wipe(&bytes) }
            var text = Bech32.encode(prefix: Self.prefix, bytes, upperCase: true)
            return SecretValue(consuming: &text)
        }
    }

    /// Tries every X25519 stanza; a malformed one is an error even when another would fit.
    public func unwrap(_ stanzas: [AgeStanza]) throws(AgeError) -> SecretValue? {
        for stanza in stanzas where stanza.type == X25519Recipient.type {
            guard stanza.arguments.count == 1, let argument = stanza.arguments.first,
                let share = StrictBase64.decode(Array(argument.utf8)), share.count == 32
            else { throw AgeError(.header, "an X25519 stanza is malformed") }
            try FileKeyWrap.checkLength(stanza.body)
            if let fileKey = try FileKeyWrap.unwrap(stanza.body, with: try agree(with: share)) { return fileKey }
        }
        return nil
    }

    private func agree(with share: [UInt8]) throws(AgeError) -> SecretValue {
        let key: Curve25519.KeyAgreement.PrivateKey
        do {
            key = try scalar.withUnsafeSecretBytes { try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: $0) }
        } catch {
            throw AgeError(.key, "not an X25519 scalar")
        }
        return try X25519Recipient.agree(key, with: share, share: share, recipient: recipient.bytes)
    }
}

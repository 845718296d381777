import Crypto
import CryptoExtras
import FoundationEssentials
public import KeyoverCore

/// A passphrase, both as recipient and as identity; it must be the only recipient of a file.
public struct ScryptPassphrase: AgeRecipient, AgeIdentity {
    static let type = "scrypt"
    /// The largest cost that is accepted: 2^20 takes 1 GiB of memory.
    public static let largestWorkFactor = 20
    private static let saltCount = 16

    private let passphrase: SecretValue
    private let workFactor: Int

    /// A passphrase, and the base-2 logarithm of the cost to write files with.
    public init(_ passphrase: SecretValue, workFactor: Int = 17) throws(AgeError) {
        guard !passphrase.isEmpty else { throw AgeError(.key, "an empty passphrase protects nothing") }
        guard (1...Self.largestWorkFactor).contains(workFactor) else {
            throw AgeError(.key, "a scrypt work factor must be from 1 to \(Self.largestWorkFactor)")
        }
        self.passphrase = passphrase
        self.workFactor = workFactor
    }

    /// Wraps the file key under a key stretched from the passphrase.
    public func wrap(_ fileKey: SecretValue) throws(AgeError) -> AgeStanza {
        let salt = Primitives.randomBytes(Self.saltCount)
        let key = try stretch(salt: salt, workFactor: workFactor)
        return AgeStanza(
            type: Self.type,
            arguments: [String(decoding: StrictBase64.encode(salt), as: UTF8.self), String(workFactor)],
            body: try FileKeyWrap.wrap(fileKey, with: key))
    }

    /// Tries the stanza; the cost it names is checked before anything is computed or allocated.
    public func unwrap(_ stanzas: [AgeStanza]) throws(AgeError) -> SecretValue? {
        guard let stanza = stanzas.first(where: { $0.type == Self.type }) else { return nil }
        guard stanza.arguments.count == 2, let salt = StrictBase64.decode(Array(stanza.arguments[0].utf8)),
            salt.count == Self.saltCount, let workFactor = Self.parse(stanza.arguments[1])
        else { throw AgeError(.header, "a scrypt stanza is malformed") }
        guard workFactor <= Self.largestWorkFactor else {
            throw AgeError(.header, "a scrypt stanza asks for more work than 2^\(Self.largestWorkFactor)")
        }
        try FileKeyWrap.checkLength(stanza.body)
        return try FileKeyWrap.unwrap(stanza.body, with: try stretch(salt: salt, workFactor: workFactor))
    }

    private static func parse(_ text: String) -> Int? {
        guard let value = Int(text), value > 0, String(value) == text else { return nil }
        return value
    }

    private func stretch(salt: [UInt8], workFactor: Int) throws(AgeError) -> SecretValue {
        do {
            return try passphrase.withUnsafeSecretBytes { bytes in
                try KDF.Scrypt.deriveKey(
                    from: bytes, salt: Array("age-encryption.org/v1/scrypt".utf8) + salt, outputByteCount: 32,
                    rounds: 1 << workFactor, blockSize: 8, parallelism: 1
                ).secretValue
            }
        } catch {
            throw AgeError(.key, "scrypt failed; perhaps there is too little memory")
        }
    }
}

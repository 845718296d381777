import Crypto
import FoundationEssentials
import KeyoverCore

/// ChaCha20-Poly1305 under a key that is used once, hence with a nonce of zeros; wraps the 16 bytes of a file key.
enum FileKeyWrap {
    static let fileKeyCount = 16
    private static let wrappedCount = 32

    static func wrap(_ fileKey: SecretValue, with key: SecretValue) throws(AgeError) -> [UInt8] {
        do {
            let box = try fileKey.withUnsafeSecretBytes { plaintext in
                try ChaChaPoly.seal(plaintext, using: key.symmetricKey, nonce: nonce())
            }
            return Array(box.ciphertext + box.tag)
        } catch {
            throw AgeError(.key, "the file key could not be wrapped")
        }
    }

    /// The file key, or `nil` when the key does not fit.
    ///
    /// The length is checked before decrypting, so that one body cannot open under two keys.
    static func unwrap(_ body: [UInt8], with key: SecretValue) throws(AgeError) -> SecretValue? {
        try checkLength(body)
        do {
            let box = try ChaChaPoly.SealedBox(
                nonce: nonce(), ciphertext: body.prefix(fileKeyCount), tag: body.suffix(16))
            var plaintext = try ChaChaPoly.open(box, using: key.symmetricKey)
            defer { Primitives.wipe(&plaintext) }
            return SecretValue(copying: plaintext)
        } catch {
            return nil
        }
    }

    static func checkLength(_ body: [UInt8]) throws(AgeError) {
        guard body.count == wrappedCount else { throw AgeError(.header, "a wrapped file key has the wrong length") }
    }

    private static func nonce() throws -> ChaChaPoly.Nonce {
        try ChaChaPoly.Nonce(data: [UInt8](repeating: 0, count: 12))
    }
}

import Crypto
import FoundationEssentials
import FuzzSupport
import KeyoverCore

/// Makes age files piece by piece, right and wrong, from the specification and without the code under test.
enum AgeWorkshop {
    /// One chunk of a payload, sealed under whatever counter and flag it is given.
    struct Chunk {
        var plaintext: [UInt8]
        var counter: UInt64
        var isLast: Bool

        init(_ plaintext: [UInt8], _ counter: UInt64, _ isLast: Bool) {
            self.plaintext = plaintext
            self.counter = counter
            self.isLast = isLast
        }
    }

    private static let fileKey = SymmetricKey(data: AgeKeys.fileKey.plain)
    private static let nonce = [UInt8](repeating: 7, count: 16)

    /// A header of these stanzas with the MAC that it should have, and a payload behind it.
    static func file(stanzas: [UInt8], payload: [UInt8]) -> [UInt8] {
        let covered = Array("age-encryption.org/v1\n".utf8) + stanzas + Array("---".utf8)
        let key = derive(salt: [], "header")
        let code = Data(HMAC<SHA256>.authenticationCode(for: covered, using: key)).base64EncodedString()
        return covered + Array(" \(code.dropLast())\n".utf8) + payload
    }

    /// A payload of these chunks.
    static func payload(_ chunks: [Chunk]) -> [UInt8] {
        let key = derive(salt: nonce, "payload")
        return nonce
            + chunks.flatMap { chunk in
                let counter = withUnsafeBytes(of: chunk.counter.bigEndian) { Array($0) }
                return must("seal a chunk") {
                    let nonce = try ChaChaPoly.Nonce(data: [0, 0, 0] + counter + [chunk.isLast ? 1 : 0])
                    let box = try ChaChaPoly.seal(chunk.plaintext, using: key, nonce: nonce)
                    return Array(box.ciphertext + box.tag)
                }
            }
    }

    private static func derive(salt: [UInt8], _ info: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: fileKey, salt: salt, info: Array(info.utf8), outputByteCount: 32)
    }
}

import Crypto
import FoundationEssentials
import KeyoverCore

/// The payload of an age file: chunks of 64 KiB under ChaCha20-Poly1305 (the STREAM construction).
///
/// A nonce is an 88-bit counter and a byte that is 1 in the last chunk only, so chunks can be neither moved nor left off.
enum AgePayload {
    private static let nonceCount = 16
    private static let chunkCount = 65_536
    private static let tagCount = 16

    static func encrypt(_ plaintext: SecretValue, fileKey: SecretValue) throws(AgeError) -> [UInt8] {
        let nonce = Primitives.randomBytes(nonceCount)
        let key = payloadKey(fileKey, nonce)
        let chunks = max(1, (plaintext.count + chunkCount - 1) / chunkCount)
        do {
            return try plaintext.withUnsafeSecretBytes { raw in
                var result = nonce
                result.reserveCapacity(nonceCount + raw.count + chunks * tagCount)
                for index in 0..<chunks {
                    let range = index * chunkCount..<min(raw.count, (index + 1) * chunkCount)
                    let box = try ChaChaPoly.seal(
                        UnsafeRawBufferPointer(rebasing: raw[range]), using: key,
                        nonce: chunkNonce(index, isLast: index == chunks - 1))
                    result += box.ciphertext
                    result += box.tag
                }
                return result
            }
        } catch {
            throw AgeError(.payload, "the payload could not be encrypted")
        }
    }

    /// The plaintext, given out only after the last chunk was authenticated.
    static func decrypt(_ payload: ArraySlice<UInt8>, fileKey: SecretValue) throws(AgeError) -> SecretValue {
        guard payload.count >= nonceCount else { throw AgeError(.header, "the payload's nonce is cut short") }
        let key = payloadKey(fileKey, Array(payload.prefix(nonceCount)))
        let sealed = payload.dropFirst(nonceCount)
        let whole = chunkCount + tagCount
        let chunks = (sealed.count + whole - 1) / whole
        let lastCount = sealed.count - (chunks - 1) * whole
        guard chunks > 0, lastCount >= tagCount, chunks == 1 || lastCount > tagCount else {
            throw AgeError(.payload, "the last chunk is empty or cut short")
        }
        do {
            return try SecretValue(count: sealed.count - chunks * tagCount) { output in
                for index in 0..<chunks {
                    let start = sealed.startIndex + index * whole
                    let chunk = sealed[start..<min(sealed.endIndex, start + whole)]
                    let box = try ChaChaPoly.SealedBox(
                        nonce: chunkNonce(index, isLast: index == chunks - 1), ciphertext: chunk.dropLast(tagCount),
                        tag: chunk.suffix(tagCount))
                    var opened = try ChaChaPoly.open(box, using: key)
                    defer { Primitives.wipe(&opened) }
                    let range = index * chunkCount..<index * chunkCount + opened.count
                    UnsafeMutableRawBufferPointer(rebasing: output[range]).copyBytes(from: opened)
                }
            }
        } catch {
            throw AgeError(.payload, "the payload was changed or cut short")
        }
    }

    private static func payloadKey(_ fileKey: SecretValue, _ nonce: [UInt8]) -> SymmetricKey {
        Primitives.derive(fileKey, salt: nonce, info: Array("payload".utf8), count: 32).symmetricKey
    }

    private static func chunkNonce(_ index: Int, isLast: Bool) throws -> ChaChaPoly.Nonce {
        try ChaChaPoly.Nonce(data: [0, 0, 0] + UInt64(index).bigEndianBytes + [isLast ? 1 : 0])
    }
}

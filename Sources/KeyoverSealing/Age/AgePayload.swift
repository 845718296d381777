import Crypto
import FoundationEssentials
import KeyoverCore

/// The payload of an age file: chunks of 64 KiB under ChaCha20-Poly1305 (the STREAM construction).
///
/// A nonce is an 88-bit counter and a byte that is 1 in the last chunk only, so chunks can be neither moved nor left off.
enum AgePayload {
    static let nonceCount = 16
    static let chunkCount = 65_536
    static let tagCount = 16

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
                    result += try seal(
                        UnsafeRawBufferPointer(rebasing: raw[range]), index, isLast: index == chunks - 1, key)
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
                    var opened = try open(
                        sealed[start..<min(sealed.endIndex, start + whole)], index, isLast: index == chunks - 1, key)
                    defer { Primitives.wipe(&opened) }
                    let range = index * chunkCount..<index * chunkCount + opened.count
                    UnsafeMutableRawBufferPointer(rebasing: output[range]).copyBytes(from: opened)
                }
            }
        } catch {
            throw AgeError(.payload, "the payload was changed or cut short")
        }
    }

    /// One chunk: ciphertext, then tag.
    static func seal(
        _ chunk: UnsafeRawBufferPointer, _ index: Int, isLast: Bool, _ key: SymmetricKey
    ) throws -> Data {
        let box = try ChaChaPoly.seal(chunk, using: key, nonce: chunkNonce(index, isLast: isLast))
        return box.ciphertext + box.tag
    }

    /// One chunk's plaintext, which is the caller's to wipe.
    static func open(
        _ chunk: ArraySlice<UInt8>, _ index: Int, isLast: Bool, _ key: SymmetricKey
    ) throws -> Data {
        let box = try ChaChaPoly.SealedBox(
            nonce: chunkNonce(index, isLast: isLast), ciphertext: chunk.dropLast(tagCount), tag: chunk.suffix(tagCount))
        return try ChaChaPoly.open(box, using: key)
    }

    static func payloadKey(_ fileKey: SecretValue, _ nonce: [UInt8]) -> SymmetricKey {
        Primitives.derive(fileKey, salt: nonce, info: Array("payload".utf8), count: 32).symmetricKey
    }

    private static func chunkNonce(_ index: Int, isLast: Bool) throws -> ChaChaPoly.Nonce {
        try ChaChaPoly.Nonce(data: [0, 0, 0] + UInt64(index).bigEndianBytes + [isLast ? 1 : 0])
    }
}

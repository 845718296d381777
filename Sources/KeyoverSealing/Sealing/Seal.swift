import Crypto
import FoundationEssentials
import KeyoverCore

/// What a sealed blob is and belongs to: it opens only in exactly this place.
struct SealContext {
    /// The version of the sealing itself.
    static let format: UInt64 = 1

    let vault: UUIDv7
    let epoch: UInt64
    let record: UUIDv7
    /// The stable word of what is sealed, such as `client/metadata` or `client/value/primary`.
    let field: String
    let serial: UInt64

    var bytes: [UInt8] {
        var transcript = Transcript("keyover seal")
        transcript.append(Self.format)
        transcript.append(vault.bytes)
        transcript.append(epoch)
        transcript.append(record.bytes)
        transcript.append(field)
        transcript.append(serial)
        return transcript.bytes
    }
}

/// Sealed blobs: `salt (32) || key commitment (32) || AES-256-GCM ciphertext || tag (16)`.
///
/// HKDF-SHA256 of the epoch's key with the blob's own random salt gives 76 bytes: the AES key (32), the nonce (12) and
/// the commitment (32). Since no key is used twice, the nonce cannot repeat; since the commitment is checked first, a
/// blob opens under one key only, which AES-GCM alone does not promise.
enum Seal {
    static let overhead = saltCount + commitmentCount + tagCount
    private static let saltCount = 32
    private static let commitmentCount = 32
    private static let tagCount = 16
    private static let info = Array("keyover seal 1".utf8)

    private struct Material {
        let key: SymmetricKey
        let nonce: AES.GCM.Nonce
        let commitment: [UInt8]

        init(key: SecretValue, salt: [UInt8]) throws {
            let derived = HKDF<SHA256>.deriveKey(
                inputKeyMaterial: key.symmetricKey, salt: salt, info: Seal.info, outputByteCount: 76)
            (self.key, nonce, commitment) = try derived.withUnsafeBytes { raw in
                (
                    SymmetricKey(data: UnsafeRawBufferPointer(rebasing: raw[0..<32])),
                    try AES.GCM.Nonce(data: UnsafeRawBufferPointer(rebasing: raw[32..<44])),
                    Array(raw[44..<76])
                )
            }
        }
    }

    /// Seals bytes for one place.
    static func seal(
        _ plaintext: some DataProtocol, with key: SecretValue, for context: SealContext
    ) throws(VaultError) -> [UInt8] {
        let salt = Primitives.randomBytes(saltCount)
        do {
            let material = try Material(key: key, salt: salt)
            let box = try AES.GCM.seal(
                plaintext, using: material.key, nonce: material.nonce, authenticating: context.bytes)
            return salt + material.commitment + box.ciphertext + box.tag
        } catch {
            throw VaultError(.invalid, "\(context.field) could not be sealed", underlying: error)
        }
    }

    /// Opens a blob that was sealed for this very place.
    static func open(_ blob: [UInt8], with key: SecretValue, for context: SealContext) throws(VaultError) -> Data {
        guard blob.count >= overhead else { throw untrusted(context) }
        let sealed = blob[(saltCount + commitmentCount)...]
        do {
            let material = try Material(key: key, salt: Array(blob[..<saltCount]))
            guard Primitives.areEqual(material.commitment, blob[saltCount..<saltCount + commitmentCount]) else {
                throw untrusted(context)
            }
            let box = try AES.GCM.SealedBox(
                nonce: material.nonce, ciphertext: sealed.dropLast(tagCount), tag: sealed.suffix(tagCount))
            return try AES.GCM.open(box, using: material.key, authenticating: context.bytes)
        } catch {
            throw untrusted(context)
        }
    }

    /// Opens a blob into secret memory.
    static func openSecret(
        _ blob: [UInt8], with key: SecretValue, for context: SealContext
    ) throws(VaultError) -> SecretValue {
        var plaintext = try open(blob, with: key, for: context)
        defer { Primitives.wipe(&plaintext) }
        return SecretValue(copying: plaintext)
    }

    private static func untrusted(_ context: SealContext) -> VaultError {
        // Kinds and fields come out of the database, and what it says may be anything.
        let isShowable = context.field.utf8.count <= 160 && context.field.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        return VaultError.tampered(
            "\(isShowable ? context.field : "a field") of record \(context.record) does not open")
    }
}

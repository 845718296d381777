import Crypto
import FoundationEssentials
import Glibc
import KeyoverCore

/// The few cryptographic building blocks that everything in this module is made of.
enum Primitives {
    /// Random bytes from the kernel.
    static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// Random bytes from the kernel, made in secret memory.
    static func randomSecret(_ count: Int) -> SecretValue {
        SecretValue(count: count) { buffer in
            var generator = SystemRandomNumberGenerator()
            for index in buffer.indices { buffer[index] = UInt8.random(in: .min ... .max, using: &generator) }
        }
    }

    /// HKDF-SHA256 with its result in secret memory.
    static func derive(_ key: SecretValue, salt: [UInt8], info: [UInt8], count: Int) -> SecretValue {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key.symmetricKey, salt: salt, info: info, outputByteCount: count
        ).secretValue
    }

    /// HMAC-SHA256 of public bytes.
    static func authenticate(_ bytes: [UInt8], with key: SecretValue) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key.symmetricKey))
    }

    /// SHA-256 of public bytes.
    static func digest(_ bytes: [UInt8]) -> [UInt8] {
        Array(SHA256.hash(data: bytes))
    }

    /// Compares in a time that depends on the lengths only.
    static func areEqual(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// Overwrites bytes that are no longer needed.
    static func wipe(_ data: inout Data) {
        data.withUnsafeMutableBytes { buffer in
            if let base = buffer.baseAddress { explicit_bzero(base, buffer.count) }
        }
    }

    /// Overwrites bytes that are no longer needed.
    static func wipe(_ bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { buffer in
            if let base = buffer.baseAddress { explicit_bzero(base, buffer.count) }
        }
    }
}

extension SecretValue {
    /// The bytes as a key of swift-crypto, which zeroes its own copy.
    var symmetricKey: SymmetricKey {
        withUnsafeSecretBytes { SymmetricKey(data: $0) }
    }
}

extension SymmetricKey {
    /// The key moved into secret memory.
    var secretValue: SecretValue {
        withUnsafeBytes { raw in SecretValue(count: raw.count) { $0.copyMemory(from: raw) } }
    }
}

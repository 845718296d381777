internal import Crypto
public import KeyoverCore

extension Vault {
    /// The fingerprint of a value under the vault's key.
    public func fingerprint(of value: SecretValue) async throws(VaultError) -> Fingerprint {
        let key = try await derivedKey(for: .fingerprint)
        let code = key.withUnsafeSecretBytes { keyBytes in
            value.withUnsafeSecretBytes { bytes in
                HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: keyBytes))
            }
        }
        return Fingerprint(bytes: Array(code))
    }
}

extension EngineParts {
    /// The fingerprint of a value under the vault's key.
    public func fingerprint(of value: SecretValue) async throws(VaultError) -> Fingerprint {
        try await vault.fingerprint(of: value)
    }
}

import KeyoverCore
import KeyoverSealing

/// What this host knows of a migration that it has begun: `STATE/VAULT-ID.migration`, the new place and the new keys.
///
/// age proves no author: whoever knows the recipients can make a key file with keys of his own. So a vault found at the new
/// place is gone on with only when its keys are the ones noted before it was made.
struct MigrationNote: Equatable {
    /// The URL of the new place.
    let to: String
    /// The commitment to the new keys, in hexadecimal.
    let keyCommitment: String

    private static let limit = 8 << 10

    private static func name(_ vaultID: UUIDv7) -> String { "\(vaultID).migration" }

    /// The note about a vault, if there is one.
    static func read(_ stateDirectory: String, _ vaultID: UUIDv7) throws(VaultError) -> MigrationNote? {
        let text: SecretValue
        do {
            text = try PrivateFile.read("\(stateDirectory)/\(name(vaultID))", limit: limit)
        } catch {
            guard error.code == .missing else { throw error }
            return nil
        }
        let lines = text.withUnsafeSecretBytes { String(decoding: $0, as: UTF8.self) }.split(separator: "\n")
        // Power loss can leave an empty file; then nothing was made yet.
        guard lines.count == 2, VaultURL(String(lines[1])) != nil, VaultPin.commitments(String(lines[0])) != nil else {
            return nil
        }
        return MigrationNote(to: String(lines[1]), keyCommitment: String(lines[0]))
    }

    /// Notes it durably.
    func write(_ stateDirectory: String, _ vaultID: UUIDv7) throws(VaultError) {
        try PrivateDirectory.make(stateDirectory, rule: .ownerWrites)
            .replace(Self.name(vaultID), SecretValue(copying: "\(keyCommitment)\n\(to)\n".utf8))
    }

    /// Forgets it.
    static func remove(_ stateDirectory: String, _ vaultID: UUIDv7) throws(VaultError) {
        try PrivateDirectory(stateDirectory, rule: .ownerWrites).remove(name(vaultID))
    }

    /// The pin that the new vault is held to.
    func pin(_ vaultID: UUIDv7) -> VaultPin {
        VaultPin(vaultID: vaultID, commitments: VaultPin.commitments(keyCommitment) ?? [])
    }
}

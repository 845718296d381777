import KeyoverCore
import KeyoverSealing

/// Which keyring of a person, and which of the vaults in it: `libsecret:[COLLECTION][/NAME]`.
struct KeyringPlace: Hashable, Sendable {
    /// The vault of a URL that names none.
    static let standardVault = "keyover"
    private static let nameLimit = 64

    /// The keyring's alias or label; `nil` is the default one.
    let collection: String?
    /// The vault's name.
    let vault: String

    /// Reads the part of a URL behind the scheme.
    init(_ url: VaultURL) throws(VaultError) {
        let parts = url.location.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts.count == 2 ? String(parts[1]) : Self.standardVault
        let isPlain = name.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "-_.".utf8.contains(byte)
        }
        guard isPlain, (1...Self.nameLimit).contains(name.utf8.count) else {
            throw VaultError(
                .invalid, "\(url) names no vault in a keyring",
                remedy: "write libsecret:/NAME or libsecret:KEYRING/NAME, the name of letters, digits, - _ and .")
        }
        collection = parts.first.flatMap { $0.isEmpty ? nil : String($0) }
        vault = name
    }
}

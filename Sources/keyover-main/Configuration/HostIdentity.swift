import KeyoverCore
import KeyoverSealing
import KeyoverVaults

/// The identity that opens vaults on this host: the one that lies where configuration says, or a fresh one put there.
struct HostIdentity {
    /// Where it lies.
    let place: IdentityPlace
    /// All that lies there.
    let identities: [any AgeIdentity]
    /// Whom to encrypt to.
    let recipient: X25519Recipient
    /// Whether it was made just now.
    let isFresh: Bool

    /// Takes the identity that is there, or makes one; nothing is overwritten.
    init(_ settings: Settings, for vault: VaultURL) async throws {
        place =
            settings.identity
            ?? .file(FileSystem.parent(of: FileSystem.absolute(settings.ownFile)) + "/identity.txt")
        try place.demandApart(from: vault)
        switch place {
        case .keyring(let keyring):
            (identities, isFresh) = try await keyring.readOrMake()
        case .file(let path):
            isFresh = try Self.makeFile(path)
            identities = try await place.read()
        case .credential:
            isFresh = false
            identities = try await place.read()
        }
        guard let first = identities.lazy.compactMap({ $0 as? X25519Identity }).first else {
            throw VaultError(.locked, "\(place) holds no X25519 identity", remedy: "give another --identity FILE")
        }
        recipient = first.recipient
    }

    /// Makes an identity file where there is none; answers whether there was none.
    private static func makeFile(_ path: String) throws -> Bool {
        guard !FileSystem.exists(path) else { return false }
        try FileSystem.makeDirectory(FileSystem.parent(of: path))
        try IdentityFile.text(of: .generate()).withUnsafeSecretBytes { try FileSystem.create(path, $0) }
        return true
    }
}

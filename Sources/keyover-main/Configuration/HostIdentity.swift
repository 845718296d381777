import KeyoverCore
import KeyoverSealing

/// The identity that opens vaults on this host: the one that lies where configuration says, or a fresh one put there.
struct HostIdentity {
    /// Where it lies, as configuration writes it.
    let place: String
    /// All that lies there.
    let identities: [any AgeIdentity]
    /// Whom to encrypt to.
    let recipient: X25519Recipient
    /// Whether it was made just now.
    let isFresh: Bool

    /// Takes the identity that is there, or makes one; nothing is overwritten.
    init(_ settings: Settings) throws {
        place =
            settings.identity.map(FileSystem.absolute)
            ?? FileSystem.parent(of: FileSystem.absolute(settings.ownFile)) + "/identity.txt"
        isFresh = !FileSystem.exists(place)
        if isFresh {
            try FileSystem.makeDirectory(FileSystem.parent(of: place))
            try IdentityFile.text(of: .generate()).withUnsafeSecretBytes { [place] in
                try FileSystem.create(place, $0)
            }
        }
        identities = try IdentityFile.read(place)
        guard let first = identities.lazy.compactMap({ $0 as? X25519Identity }).first else {
            throw VaultError(.locked, "\(place) holds no X25519 identity", remedy: "give another --identity FILE")
        }
        recipient = first.recipient
    }
}

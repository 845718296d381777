import KeyoverCore
import KeyoverSealing

/// The key file of a vault of entries, as it lies in the store.
struct EntryKeys: Sendable {
    private static let limit = 1 << 20

    /// The keys.
    let file: KeyFile
    /// The version of ``EntryName/keys`` that they come from.
    let version: EntryVersion

    /// Reads the key file; who is not among its recipients may have been granted the metadata.
    static func read(_ store: any EntryStore, _ identities: [any AgeIdentity]) async throws(VaultError) -> EntryKeys {
        guard let stored = try await store.entry(.keys) else {
            throw VaultError(
                .missing, "there is no vault at \(store.location)", remedy: "run keyover init, or check --vault")
        }
        do throws(VaultError) {
            return EntryKeys(file: try open(stored, identities), version: stored.version)
        } catch {
            guard error.code == .locked, let granted = try await store.entry(.metadataKeys) else { throw error }
            return EntryKeys(file: try open(granted, identities), version: stored.version)
        }
    }

    private static func open(_ stored: StoredEntry, _ identities: [any AgeIdentity]) throws(VaultError) -> KeyFile {
        guard stored.bytes.count <= limit else { throw VaultError.tampered("the key file is too large") }
        return try KeyFile.open(stored.bytes, with: identities)
    }

    /// Puts a key file in the place of this one, and before it the one for those who were granted metadata only.
    ///
    /// When a crash comes between the two, the key file still says that something is left to do, and the same command
    /// does it.
    func replace(
        by next: KeyFile, in store: any EntryStore, knowing identities: [any AgeIdentity]
    ) async throws(VaultError) -> EntryKeys {
        let granted = try await store.entry(.metadataKeys)
        if !next.access.metadataOnly.isEmpty {
            let bytes = try next.metadataOnly.sealed(to: next.access.metadataRecipients)
            try await store.put(Entry(.metadataKeys, bytes), expecting: granted?.version, while: version)
        } else if let granted {
            try await store.remove(.metadataKeys, expecting: granted.version)
        }
        let bytes = try next.sealed(to: next.access.recipients(knowing: identities))
        try await store.put(Entry(.keys, bytes), expecting: version, while: nil)
        guard let stored = try await store.entry(.keys), stored.bytes == bytes else { throw .rekeyedMeanwhile }
        return EntryKeys(file: next, version: stored.version)
    }
}

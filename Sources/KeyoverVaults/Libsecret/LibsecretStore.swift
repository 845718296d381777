import CSecretService
import FoundationEssentials
public import KeyoverCore
public import KeyoverSealing

/// Entries as items of a person's keyring, which `secret-tool` and Seahorse show.
///
/// Any program of the session may read and rewrite the items, so nothing in them is trusted, and nothing in them is
/// readable: an item holds the sealed bytes as one line of base64, which harms no terminal that shows it. The keyring
/// knows no compare-and-swap; a lock of the user's processes stands in for it, and the version of an item is the digest
/// of what is in it. It rewrites its whole file for each change: a vault for dozens of clients, not for thousands.
public struct LibsecretStore: EntryStore {
    /// The most that an item holds: a record with each of its values at their limit, and room to spare.
    private static let limit = 8 << 20

    /// `libsecret`.
    public let backend = LibsecretBackend.scheme
    /// The keyring and the vault in it.
    public let location: VaultURL
    private let place: KeyringPlace
    private let patience: TimeSpan

    /// The items of a vault; nothing is reached yet.
    init(_ url: VaultURL, patience: TimeSpan) throws(VaultError) {
        location = url
        place = try KeyringPlace(url)
        self.patience = patience
    }

    /// The entry of a name.
    public func entry(_ name: EntryName) async throws(VaultError) -> StoredEntry? {
        try await work { (items, _) throws(VaultError) in try items.find(name)?.stored }
    }

    /// All entries of a group.
    public func entries(_ group: EntryGroup) async throws(VaultError) -> [StoredEntry] {
        try await work { (items, _) throws(VaultError) in try items.all(group) }
    }

    /// Stores an entry when what is there has the expected version.
    public func put(
        _ entry: Entry, expecting version: EntryVersion?, while keys: EntryVersion?
    ) async throws(VaultError) {
        let content = Data(entry.bytes).base64EncodedData()
        guard content.count <= Self.limit else {
            throw VaultError(
                .tooLarge, "an entry of \(content.count) bytes is more than a keyring should hold",
                remedy: "keep the vault in a file, and only its identity in the keyring: "
                    + "keyover init --identity libsecret")
        }
        try await work { (items, calls) throws(VaultError) in
            let lock = try KeyringLock.take(place.vault, patience: calls.rest)
            defer { withExtendedLifetime(lock) {} }
            if let keys, try items.find(.keys)?.stored.version != keys { throw .rekeyedMeanwhile }
            let present = try items.find(entry.name)
            guard present?.stored.version == version else { throw .changedMeanwhile("an entry") }
            try items.store(entry, content, in: present?.item)
        }
    }

    /// Removes an entry when it has the expected version.
    public func remove(_ name: EntryName, expecting version: EntryVersion) async throws(VaultError) {
        try await work { (items, calls) throws(VaultError) in
            let lock = try KeyringLock.take(place.vault, patience: calls.rest)
            defer { withExtendedLifetime(lock) {} }
            guard let present = try items.find(name), present.stored.version == version else {
                throw .changedMeanwhile("an entry")
            }
            try items.service.delete(present.item)
        }
    }

    private func work<Result: Sendable>(
        _ body: @escaping @Sendable (VaultItems, BoundedCalls) throws(VaultError) -> Result
    ) async throws(VaultError) -> Result {
        try await KeyringWork.run(on: place.collection, within: patience) {
            [place] (service, calls) throws(VaultError) in
            try body(VaultItems(service: service, naming: EntryItem(vault: place.vault)), calls)
        }
    }
}

/// The items of one vault in a keyring that was reached.
struct VaultItems {
    let service: KeyringService
    let naming: EntryItem

    /// The item of an entry with what is in it.
    func find(_ name: EntryName) throws(VaultError) -> (item: KeyringItem, stored: StoredEntry)? {
        let found = try service.items(naming.place(of: name))
        guard let item = found.first else { return nil }
        guard found.count == 1 else {
            throw VaultError(
                .notTrusted, "the keyring holds \(found.count) items for one entry of the vault \(naming.vault)",
                remedy: "remove the one that is not Keyover's: secret-tool search --all application keyover")
        }
        return (item, try stored(item))
    }

    /// All entries of a group.
    func all(_ group: EntryGroup) throws(VaultError) -> [StoredEntry] {
        var entries: [StoredEntry] = []
        for item in try service.items(naming.group(group)) { entries.append(try stored(item)) }
        return entries
    }

    /// Writes an entry into the item that it has, or into a new one, and looks whether it is there.
    func store(_ entry: Entry, _ content: Data, in item: KeyringItem?) throws(VaultError) {
        let secret = content.withUnsafeBytes { KeyringSecret($0) }
        let description = naming.description(of: entry)
        if let item {
            try service.replace(item, by: secret)
            // The change is made; what is written on the item follows, and is mended by the next change if it does not.
            if item.attribute("type") != description.attributes["type"] {
                try? service.describe(item, as: description)
            }
        } else {
            try service.create(description, secret)
        }
        guard try find(entry.name)?.stored.bytes == entry.bytes else {
            throw VaultError(
                .unavailable, "the keyring did not keep what was stored in it",
                remedy: "run the command again; look at the vault with keyover vault verify", isRetryable: true)
        }
    }

    private func stored(_ item: KeyringItem) throws(VaultError) -> StoredEntry {
        guard let content = item.content else {
            throw VaultError(
                .unavailable, "the keyring does not hand out an item of the vault \(naming.vault)",
                remedy: "unlock the keyring, and run the command again", isRetryable: true)
        }
        let read: (bytes: [UInt8], digest: String)? = content.withBytes { text in
            guard let bytes = Data(base64Encoded: Data(text)), let digest = Self.digest(text) else { return nil }
            return (Array(bytes), digest)
        }
        guard let read else { throw VaultError.tampered("an item of the vault is not as Keyover wrote it") }
        return StoredEntry(read.bytes, EntryVersion(read.digest))
    }

    private static func digest(_ text: UnsafeRawBufferPointer) -> String? {
        guard
            let digest = g_compute_checksum_for_data(
                G_CHECKSUM_SHA256, text.bindMemory(to: UInt8.self).baseAddress, gsize(text.count))
        else { return nil }
        defer { g_free(digest) }
        return String(cString: digest)
    }
}

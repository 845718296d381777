public import KeyoverCore
public import KeyoverSealing

/// A vault that this process made for itself, at a place where nothing was, and that it takes away again.
///
/// Only such a vault can be erased: its identity is made here and shown to nobody, so that what a value of this type
/// erases can only be what it has made, and erasing begins with opening the vault by that identity and its own pin.
public struct TemporaryVault: Sendable {
    /// Where it is.
    public let url: VaultURL
    /// The vault.
    public let vault: any Vault
    private let erasure: @Sendable () async throws(VaultError) -> Void

    init(_ url: VaultURL, _ vault: any Vault, erasure: @escaping @Sendable () async throws(VaultError) -> Void) {
        self.url = url
        self.vault = vault
        self.erasure = erasure
    }

    /// Removes every entry of the vault, the key file last; a second call has nothing to do.
    public func erase() async throws(VaultError) {
        do throws(VaultError) {
            try await erasure()
        } catch {
            guard error.code != .missing else { return }
            throw VaultError(
                error.code, "the temporary vault \(url) could not be removed: \(error.message)",
                remedy: "remove what is left under that name; nothing in it is of use to anybody",
                isRetryable: error.isRetryable, underlying: error)
        }
    }
}

extension VaultRegistry {
    /// Makes a vault under a fresh name below a URL, for the life of this process.
    ///
    /// - Parameter stateDirectory: Where the host's marks for it are kept; a folder that goes away with it.
    public static func makeTemporary(
        below url: VaultURL, _ reach: VaultReach, stateDirectory: String
    ) async throws(VaultError) -> TemporaryVault {
        guard let backend = try backend(of: url) as? any EntryBackend.Type else {
            throw VaultError(
                .invalid, "a vault of the kind \(url.scheme) is not made for the while of one command",
                remedy: "name a vault of another kind, or leave --vault out")
        }
        return try await backend.makeTemporary(below: url, reach, stateDirectory: stateDirectory)
    }
}

extension EntryBackend {
    fileprivate static func makeTemporary(
        below url: VaultURL, _ reach: VaultReach, stateDirectory: String
    ) async throws(VaultError) -> TemporaryVault {
        let id = FreshID.make()
        let name = "demo-" + id.description.suffix(12)
        let store = try await store(try place(name, below: url), reach)
        let identity: X25519Identity
        do {
            identity = try X25519Identity.generate()
        } catch {
            throw VaultError(.unavailable, "there are no random numbers to make keys from", underlying: error)
        }
        let pin = try await EntryVault.create(in: store, VaultCreation(for: [identity.recipient], reach: reach))
        let access = VaultAccess(identities: [identity], pin: pin, stateDirectory: stateDirectory, reach: reach)
        return TemporaryVault(store.location, try await EntryVault.open(store, access)) { () throws(VaultError) in
            try await EntryVault.open(store, access).eraseEverything()
        }
    }

    /// A place below another one, whose path ends where a query begins.
    public static func place(_ name: String, below url: VaultURL) throws(VaultError) -> VaultURL {
        let parts = url.location.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts.first.map(String.init) ?? ""
        return VaultURL(
            scheme: url.scheme,
            location: path + (path.hasSuffix("/") ? "" : "/") + name + (parts.count == 2 ? "?" + parts[1] : ""))
    }
}

extension EntryVault {
    /// How often everything is gone through before giving up on others who keep writing.
    private static var erasingPasses: Int { 10 }

    /// Removes every entry, the key file last, so that what a crash leaves can still be told whose it is.
    fileprivate func eraseEverything() async throws(VaultError) {
        for _ in 0..<Self.erasingPasses {
            let records = try await store.entries(.records)
            let consumers = try await store.entries(.allReports)
            if records.isEmpty, consumers.isEmpty { break }
            var clients: [[UInt8]: String] = [:]
            for stored in records {
                let entry = try sealing.open(stored.bytes, at: nil)
                let subject = try sealing.subject(of: entry)
                if entry.kind == ClientRecord.kind { clients[reports.group(of: entry.id)] = subject.name }
            }
            for stored in consumers {
                let report = try reports.open(stored.bytes, in: nil)
                let place = ReportPlace(
                    group: report.group, place: reports.place(of: report.entry.consumer, in: report.group),
                    client: clients[report.group] ?? "", consumer: report.entry.consumer.description)
                try await erase(.report(place), stored)
            }
            for stored in records {
                let entry = try sealing.open(stored.bytes, at: nil)
                let subject = try sealing.subject(of: entry)
                let place = RecordPlace(lookup: entry.lookup, kind: subject.kind, name: subject.name)
                try await erase(.record(place), stored)
            }
        }
        for name in [EntryName.metadataKeys, .keys] {
            if let stored = try await store.entry(name) { try await erase(name, stored) }
        }
    }

    /// Removes an entry and, where the store can, what tells that it ever was there.
    private func erase(_ name: EntryName, _ stored: StoredEntry) async throws(VaultError) {
        do throws(VaultError) {
            try await store.remove(name, expecting: stored.version)
        } catch {
            // Somebody has changed it meanwhile: the next pass meets it again.
            guard error.code == .conflict else { throw error }
            return
        }
        try await (store as? any TracelessStore)?.removeTrace(of: name)
    }
}

public import KeyoverCore
public import KeyoverSealing

/// Identities that a person keeps in the keyring, which opens when they sign in: `libsecret` or `libsecret:KEYRING`.
///
/// Each is an item of its own, as an age identity file would be, so that `secret-tool lookup` gives one out and
/// `secret-tool store` puts one in.
public struct KeyringIdentities: Sendable, CustomStringConvertible {
    private static let word = LibsecretBackend.scheme
    private static let patience = TimeSpan.milliseconds(2500)
    private static let attributes = ["application": "keyover", "type": "identity"]

    private let collection: String?

    /// Where identities lie; `nil` for a text that is a path.
    public init?(_ setting: String) {
        guard setting == Self.word || setting.hasPrefix(Self.word + ":") else { return nil }
        let name = setting.dropFirst(Self.word.count + 1)
        collection = name.isEmpty ? nil : String(name)
    }

    /// The form that ``init(_:)`` reads.
    public var description: String { Self.word + (collection.map { ":" + $0 } ?? "") }

    /// All identities in the keyring, the oldest first; none of them is an error.
    public func read() async throws(VaultError) -> [any AgeIdentity] {
        let found = try await present()
        guard !found.isEmpty else {
            throw VaultError(
                .locked, "the \(ServiceFailure.name(collection)) holds no identity of Keyover's",
                remedy: "make one with keyover init --identity \(self), or give another --identity FILE")
        }
        return found
    }

    /// The identities in the keyring, or a fresh one that is put there where there is none.
    public func readOrMake() async throws(VaultError) -> (identities: [any AgeIdentity], isFresh: Bool) {
        let lock = try await Offloaded.run { () throws(VaultError) in
            try KeyringLock.take("identity", patience: Self.patience)
        }
        defer { withExtendedLifetime(lock) {} }
        let found = try await present()
        guard found.isEmpty else { return (found, false) }
        try await store(try fresh())
        // What is used from now on is what the keyring gives out, not what was handed to it.
        return (try await read(), true)
    }

    private func fresh() throws(VaultError) -> X25519Identity {
        do throws(AgeError) {
            return try X25519Identity.generate()
        } catch {
            throw VaultError(.unavailable, "no identity could be made", underlying: error)
        }
    }

    private func present() async throws(VaultError) -> [any AgeIdentity] {
        try await KeyringWork.run(on: collection, within: Self.patience) { [self] (service, _) throws(VaultError) in
            var found: [any AgeIdentity] = []
            for item in try service.items(Self.attributes).sorted(by: { $0.age < $1.age }) {
                guard let content = item.content else { throw ServiceFailure.locked(collection) }
                found += try IdentityFile.identities(
                    in: content.secretValue, at: "an item of the \(ServiceFailure.name(collection))")
            }
            return found
        }
    }

    private func store(_ identity: X25519Identity) async throws(VaultError) {
        try await KeyringWork.run(on: collection, within: Self.patience) { (service, _) throws(VaultError) in
            let recipient = identity.recipient.description
            let own = ["recipient": recipient, "xdg:schema": "org.keyover.Identity"]
            let description = ItemDescription(
                label: "Keyover: identity \(recipient.prefix(12))...",
                attributes: Self.attributes.merging(own) { $1 })
            let content = IdentityFile.text(of: identity).withUnsafeSecretBytes { KeyringSecret($0) }
            try service.create(description, content)
        }
    }
}

extension KeyringItem {
    /// What items are ordered by: the oldest first, and always alike.
    fileprivate var age: (UInt64, String) { (created, attribute("recipient") ?? "") }
}

extension KeyringSecret {
    /// A copy in Keyover's own secret memory.
    fileprivate var secretValue: SecretValue { withBytes { SecretValue(copying: $0) } }
}

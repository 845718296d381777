import CSecretService
import KeyoverCore

/// A keyring of the Secret Service, unlocked, reached anew for each piece of work.
///
/// Nothing is kept between one piece and the next, so that a service that was started again in between is met as if
/// nothing had happened. Secrets cross the bus encrypted for the session.
final class KeyringService {
    private static let attempts = 20

    private let bus: SessionBus
    private let service: GReference<SecretService>
    private let collection: GReference<SecretCollection>
    private let calls: BoundedCalls

    /// Reaches a keyring; a locked one is refused.
    ///
    /// - Parameter name: Its alias or its label; `nil` is the default one.
    init(_ name: String?, _ calls: BoundedCalls) throws(VaultError) {
        self.calls = calls
        bus = try SessionBus(calls)
        let opened = try calls.call {
            secret_service_open_sync(ServicePrompts.refusingType, nil, SECRET_SERVICE_OPEN_SESSION, $0, &$1)
        }
        guard let service = GReference(owned: opened) else { throw ServiceFailure.noService }
        self.service = service
        collection = try Self.collection(name, of: service, calls)
        guard secret_collection_get_locked(collection.pointer) == 0 else { throw ServiceFailure.locked(name) }
    }

    private static func collection(
        _ name: String?, of service: GReference<SecretService>, _ calls: BoundedCalls
    ) throws(VaultError) -> GReference<SecretCollection> {
        let found = try calls.call {
            secret_collection_for_alias_sync(service.pointer, name ?? "default", SECRET_COLLECTION_NONE, $0, &$1)
        }
        if let found = GReference(owned: found) { return found }
        guard let name else { throw ServiceFailure.noCollection(nil) }
        _ = try calls.call { secret_service_load_collections_sync(service.pointer, $0, &$1) }
        let labelled = GReference<SecretCollection>.all(owned: secret_service_get_collections(service.pointer))
            .filter { text(secret_collection_get_label($0.pointer)) == name }
        guard let first = labelled.first else { throw ServiceFailure.noCollection(name) }
        guard labelled.count == 1 else {
            throw VaultError(
                .invalid, "\(labelled.count) keyrings are called \(name)", remedy: "rename one of them in Seahorse")
        }
        return first
    }

    /// The items that have all of the attributes, with what is in them.
    ///
    /// They are looked for first and read then; where one is removed in between, all are looked for again.
    func items(_ attributes: [String: String]) throws(VaultError) -> [KeyringItem] {
        var attempts = 0
        while true {
            attempts += 1
            do throws(VaultError) {
                return try itemsOnce(attributes)
            } catch {
                guard error.underlying is ItemVanished, attempts < Self.attempts else { throw error }
            }
        }
    }

    private func itemsOnce(_ attributes: [String: String]) throws(VaultError) -> [KeyringItem] {
        let table = AttributeTable(attributes)
        let flags = SecretSearchFlags(rawValue: SECRET_SEARCH_ALL.rawValue | SECRET_SEARCH_LOAD_SECRETS.rawValue)
        let list = try calls.call {
            secret_collection_search_sync(collection.pointer, nil, table.pointer, flags, $0, &$1)
        }
        return GReference<SecretItem>.all(owned: list).map(KeyringItem.init)
    }

    /// Makes an item; one with the very same attributes is replaced.
    func create(_ description: ItemDescription, _ content: KeyringSecret) throws(VaultError) {
        let table = AttributeTable(description.attributes)
        let made = try calls.call {
            secret_item_create_sync(
                collection.pointer, nil, table.pointer, description.label, content.pointer, SECRET_ITEM_CREATE_REPLACE,
                $0, &$1)
        }
        _ = GReference(owned: made)
    }

    /// Puts another content into an item.
    func replace(_ item: KeyringItem, by content: KeyringSecret) throws(VaultError) {
        _ = try calls.call { secret_item_set_secret_sync(item.reference.pointer, content.pointer, $0, &$1) }
    }

    /// Gives an item another description.
    func describe(_ item: KeyringItem, as description: ItemDescription) throws(VaultError) {
        let table = AttributeTable(description.attributes)
        _ = try calls.call { secret_item_set_attributes_sync(item.reference.pointer, nil, table.pointer, $0, &$1) }
        _ = try calls.call { secret_item_set_label_sync(item.reference.pointer, description.label, $0, &$1) }
    }

    /// Removes an item.
    func delete(_ item: KeyringItem) throws(VaultError) {
        _ = try calls.call { secret_item_delete_sync(item.reference.pointer, $0, &$1) }
    }

    fileprivate static func text(_ owned: UnsafeMutablePointer<CChar>?) -> String? {
        guard let owned else { return nil }
        defer { g_free(owned) }
        return String(cString: owned)
    }
}

/// What people see of an item, and what it is found by.
struct ItemDescription: Equatable {
    let label: String
    let attributes: [String: String]
}

/// An item of a keyring.
struct KeyringItem {
    fileprivate let reference: GReference<SecretItem>

    /// What is in it; `nil` when the service did not hand it out.
    var content: KeyringSecret? { KeyringSecret(owned: secret_item_get_secret(reference.pointer)) }
    /// When it was made, in seconds since 1970.
    var created: UInt64 { UInt64(secret_item_get_created(reference.pointer)) }

    /// One of its attributes.
    func attribute(_ key: String) -> String? {
        AttributeTable.value(key, inOwned: secret_item_get_attributes(reference.pointer))
    }
}

/// The content of an item, in memory of the library that is wiped when it goes.
final class KeyringSecret {
    fileprivate let pointer: OpaquePointer

    /// A copy of the bytes.
    init(_ bytes: UnsafeRawBufferPointer) {
        pointer = bytes.withMemoryRebound(to: CChar.self) { text in
            secret_value_new(text.baseAddress, text.count, "text/plain")
        }
    }

    fileprivate init?(owned pointer: OpaquePointer?) {
        guard let pointer else { return nil }
        self.pointer = pointer
    }

    deinit {
        secret_value_unref(gpointer(pointer))
    }

    /// Lends the bytes.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var count: gsize = 0
        let base = secret_value_get(pointer, &count)
        return body(UnsafeRawBufferPointer(start: base, count: Int(count)))
    }
}

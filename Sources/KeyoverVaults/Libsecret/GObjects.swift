import CSecretService

/// A reference to an object of GLib, given back with the last holder.
final class GReference<Object> {
    let pointer: UnsafeMutablePointer<Object>

    /// Takes over a reference that the caller owns.
    init(owned pointer: UnsafeMutablePointer<Object>) {
        self.pointer = pointer
    }

    /// Takes over a reference that a call has answered; `nil` when it answered none.
    convenience init?(owned pointer: UnsafeMutablePointer<Object>?) {
        guard let pointer else { return nil }
        self.init(owned: pointer)
    }

    deinit {
        g_object_unref(pointer)
    }
}

extension GReference {
    /// The objects of a list, whose references and whose links the caller owns.
    static func all(
        owned list: UnsafeMutablePointer<GList>?
    ) -> [GReference] {
        var found: [GReference] = []
        var link = list
        while let current = link {
            if let data = current.pointee.data {
                found.append(GReference(owned: data.assumingMemoryBound(to: Object.self)))
            }
            link = current.pointee.next
        }
        g_list_free(list)
        return found
    }
}

/// Attributes of an item in the form that the library takes.
final class AttributeTable {
    let pointer: OpaquePointer

    init(_ attributes: [String: String]) {
        pointer = g_hash_table_new_full(
            { g_str_hash($0) }, { g_str_equal($0, $1) }, { g_free($0) }, { g_free($0) })
        for (key, value) in attributes { g_hash_table_insert(pointer, g_strdup(key), g_strdup(value)) }
    }

    deinit {
        g_hash_table_unref(pointer)
    }

    /// The value of one attribute in a table, which is given back.
    static func value(_ key: String, inOwned table: OpaquePointer?) -> String? {
        guard let table else { return nil }
        defer { g_hash_table_unref(table) }
        return key.withCString { key in
            g_hash_table_lookup(table, key).map { String(cString: $0.assumingMemoryBound(to: CChar.self)) }
        }
    }
}

import CSecretService

/// The library's service, but for one thing: where the keyring wants to ask its owner something, the call fails.
///
/// A question would wait for a person, on whatever screen there is, for as long as it takes. Keyover looks whether a
/// keyring is locked before it does anything, and this holds for the moment between looking and doing.
enum ServicePrompts {
    /// The type to open services of.
    static let refusingType: GType = {
        var parent = GTypeQuery()
        g_type_query(secret_service_get_type(), &parent)
        return g_type_register_static_simple(
            parent.type, "KeyoverPromptlessService", parent.class_size, { methods, _ in refuse(methods) },
            parent.instance_size, nil, GTypeFlags(rawValue: 0))
    }()

    private static func refuse(_ methods: gpointer?) {
        guard let methods = methods?.assumingMemoryBound(to: SecretServiceClass.self) else { return }
        methods.pointee.prompt_sync = { _, _, _, _, error in
            g_propagate_error(error, refusal())
            return nil
        }
        methods.pointee.prompt_async = { service, _, _, cancellable, callback, data in
            let task = g_task_new(service, cancellable, callback, data)
            g_task_return_error(task, refusal())
            g_object_unref(gpointer(task))
        }
        methods.pointee.prompt_finish = { _, result, error in
            _ = g_task_propagate_pointer(result, error)
            return nil
        }
    }
}

private func refusal() -> UnsafeMutablePointer<GError>? {
    g_error_new_literal(
        secret_error_get_quark(), CInt(SECRET_ERROR_IS_LOCKED.rawValue), "the keyring wants to ask its owner")
}

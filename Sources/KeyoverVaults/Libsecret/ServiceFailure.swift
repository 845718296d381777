import CSecretService
import KeyoverCore

/// What goes wrong with a Secret Service, as errors that say what to do.
enum ServiceFailure {
    private static let look =
        "look at it with systemctl --user status gnome-keyring-daemon, or sign in to the desktop again"

    /// There is no bus to reach a service on.
    static func noBus(_ why: String, underlying: (any Error)? = nil) -> VaultError {
        VaultError(
            .unavailable, "the desktop's session bus, on which the keyring is, cannot be reached: \(why)",
            remedy: "run the command in a desktop session, or under dbus-run-session with an unlocked keyring; "
                + "on a server keep the identity in a file",
            isRetryable: true, underlying: underlying)
    }

    /// Nobody on the bus is a Secret Service.
    static let noService = VaultError(
        .unavailable, "no Secret Service runs on the session bus, and none can be started",
        remedy: "install and start a keyring, such as gnome-keyring (gnome-keyring-daemon --start) or KeePassXC",
        isRetryable: true)

    /// Somebody is there and says nothing.
    static let noAnswer = VaultError(
        .unavailable, "the keyring does not answer", remedy: look, isRetryable: true)

    /// A keyring has to be unlocked by its owner.
    static func locked(_ collection: String?) -> VaultError {
        VaultError(
            .locked, "the \(name(collection)) is locked, and Keyover never asks for its password",
            remedy: "unlock it in Seahorse (Passwords and Keys), or on a terminal with gnome-keyring-daemon --unlock",
            isRetryable: true)
    }

    /// There is no such keyring.
    static func noCollection(_ collection: String?) -> VaultError {
        VaultError(
            .missing, "there is no \(name(collection))",
            remedy: "make one in Seahorse (Passwords and Keys), or name another one")
    }

    /// An item was found and is no longer there.
    static let vanished = VaultError(
        .unavailable, "an item of the keyring vanished while it was looked at", remedy: "run the command again",
        isRetryable: true, underlying: ItemVanished())

    /// How a keyring is called in messages.
    static func name(_ collection: String?) -> String { collection.map { "keyring \($0)" } ?? "default keyring" }

    /// An error of the library or of the bus.
    static func error(_ failure: UnsafeMutablePointer<GError>) -> VaultError {
        let remote = g_dbus_error_get_remote_error(failure).map { name in
            defer { g_free(name) }
            return String(cString: name)
        }
        g_dbus_error_strip_remote_error(failure)
        // What a service says about itself ends up before people, and is no longer than a line.
        let text = String(String(cString: failure.pointee.message).prefix(200))
        return switch (failure.pointee.domain, failure.pointee.code) {
        case (secret_error_get_quark(), CInt(SECRET_ERROR_IS_LOCKED.rawValue)): locked(nil)
        case (secret_error_get_quark(), CInt(SECRET_ERROR_NO_SUCH_OBJECT.rawValue)): vanished
        case (g_io_error_quark(), let code): ofBus(GIOErrorEnum(rawValue: .init(code)), text)
        case (g_dbus_error_quark(), let code): ofService(GDBusError(rawValue: .init(code)), text)
        default: named(remote, text)
        }
    }

    private static func ofBus(_ code: GIOErrorEnum, _ text: String) -> VaultError {
        switch code {
        case G_IO_ERROR_CANCELLED, G_IO_ERROR_TIMED_OUT: noAnswer
        default: noBus(text)
        }
    }

    private static func ofService(_ code: GDBusError, _ text: String) -> VaultError {
        switch code {
        case G_DBUS_ERROR_SERVICE_UNKNOWN, G_DBUS_ERROR_NAME_HAS_NO_OWNER, G_DBUS_ERROR_SPAWN_SERVICE_NOT_FOUND,
            G_DBUS_ERROR_SPAWN_EXEC_FAILED, G_DBUS_ERROR_SPAWN_CHILD_EXITED, G_DBUS_ERROR_SPAWN_CHILD_SIGNALED:
            noService
        case G_DBUS_ERROR_ACCESS_DENIED, G_DBUS_ERROR_AUTH_FAILED:
            VaultError(
                .unavailable, "the session bus does not let this process at the keyring: \(text)",
                remedy: "run the command as the user whose session it is, outside of sandboxes")
        case G_DBUS_ERROR_NO_REPLY, G_DBUS_ERROR_TIMEOUT, G_DBUS_ERROR_TIMED_OUT, G_DBUS_ERROR_DISCONNECTED:
            VaultError(.unavailable, "the keyring ended before it answered", remedy: look, isRetryable: true)
        // What an item that was removed meanwhile is to the bus, or any item to a service that has just started.
        case G_DBUS_ERROR_UNKNOWN_METHOD, G_DBUS_ERROR_UNKNOWN_OBJECT, G_DBUS_ERROR_UNKNOWN_INTERFACE:
            vanished
        default: refused(text)
        }
    }

    private static func named(_ remote: String?, _ text: String) -> VaultError {
        switch remote {
        case "org.freedesktop.Secret.Error.IsLocked": locked(nil)
        case "org.freedesktop.Secret.Error.NoSuchObject": vanished
        default: refused(text)
        }
    }

    private static func refused(_ text: String) -> VaultError {
        VaultError(
            .unavailable, "the keyring refuses: \(text)",
            remedy: "check that the disk is not full and that ~/.local/share/keyrings can be written",
            isRetryable: true)
    }
}

/// Says of an error that looking again may help at once.
struct ItemVanished: Error {}

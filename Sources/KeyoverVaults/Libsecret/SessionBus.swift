import CSecretService
import Glibc
import KeyoverCore

/// A connection to the bus of the desktop session, the same for all of the process; it is closed with the last holder.
final class SessionBus {
    private let connection: OpaquePointer

    /// Connects, where this process has no connection.
    init(_ calls: BoundedCalls) throws(VaultError) {
        try Self.demandAddress()
        guard let found = try calls.call({ g_bus_get_sync(G_BUS_TYPE_SESSION, $0, &$1) }) else {
            throw ServiceFailure.noBus("no connection")
        }
        connection = found
        // Otherwise the library ends the process when the bus goes away.
        g_dbus_connection_set_exit_on_close(connection, 0)
        guard g_dbus_connection_is_closed(connection) == 0 else { throw ServiceFailure.noBus("it was closed") }
    }

    deinit {
        g_object_unref(gpointer(connection))
    }

    /// Refuses where there is no bus: the library would start one of its own, with a keyring of nobody's.
    private static func demandAddress() throws(VaultError) {
        if let address = getenv("DBUS_SESSION_BUS_ADDRESS").map({ String(cString: $0) }), !address.isEmpty {
            guard !address.hasPrefix("autolaunch:"), !address.hasPrefix("unixexec:") else {
                throw ServiceFailure.noBus("DBUS_SESSION_BUS_ADDRESS says to start one")
            }
            return
        }
        let folder = getenv("XDG_RUNTIME_DIR").map { String(cString: $0) } ?? ""
        var status = stat()
        guard folder.hasPrefix("/"), stat("\(folder)/bus", &status) == 0 else {
            throw ServiceFailure.noBus("DBUS_SESSION_BUS_ADDRESS is not set")
        }
    }
}

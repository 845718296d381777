import Glibc

/// Sends one structured message to systemd's journal by its native protocol, if there is a journal.
enum JournalSocket {
    static let path = "/run/systemd/journal/socket"

    /// Sends the fields, whose values are single lines; never waits, and tells whether the journal took them.
    @discardableResult
    static func send(_ fields: [(name: String, value: String)], to path: String = path) -> Bool {
        var address = sockaddr_un()
        let name = Array(path.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }

        let socket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        let message = Array(fields.map { "\($0.name)=\(singleLine($0.value))\n" }.joined().utf8)
        let sent = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
                return sendto(socket, message, message.count, flags, address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return sent == message.count
    }

    /// A newline would begin another field.
    private static func singleLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }
}

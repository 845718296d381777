import Glibc
import KeyoverCore

/// The text of an inventory, from a file or from standard input.
enum InventoryFile {
    /// The largest one that is read.
    static let limit = 8 << 20

    /// The text; `-` is standard input.
    static func read(_ path: String) throws -> String {
        let isStandardInput = path == "-"
        let name = isStandardInput ? "standard input" : path
        let descriptor = isStandardInput ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else {
            throw unreadable(name, String(cString: strerror(errno)))
        }
        defer { if !isStandardInput { close(descriptor) } }
        var information = stat()
        // It says where secrets are sent, so that it must not be anybody's.
        if fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG,
            information.st_mode & 0o002 != 0
        {
            throw ConfigurationError(
                .unreadable, "\(name) can be changed by everybody, and it says where secrets are sent",
                remedy: "run chmod o-w \(name.shellQuoted)")
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: limit + 1, alignment: 1)
        defer { buffer.deallocate() }
        let count = try StandardInput.fill(buffer, from: descriptor)
        guard count <= limit else { throw unreadable(name, "it holds more than \(limit) bytes") }
        guard let text = String(validating: buffer[..<count], as: UTF8.self) else {
            throw unreadable(name, "it is not UTF-8")
        }
        return text
    }

    private static func unreadable(_ name: String, _ why: String) -> ConfigurationError {
        ConfigurationError(
            .unreadable, "\(name) cannot be read: \(why)", remedy: "name a YAML file; see docs/inventory.md")
    }
}

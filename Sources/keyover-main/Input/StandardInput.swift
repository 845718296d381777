import Glibc
import KeyoverCore

/// Reads standard input so that a signal can end the reading.
enum StandardInput {
    /// One line without its end.
    static func line(limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(limit + 1)
        while bytes.count <= limit, let byte = try next() {
            if byte == UInt8(ascii: "\n") { return bytes }
            bytes.append(byte)
        }
        return bytes
    }

    /// Fills the buffer to its end or to the end of the input, and says how many bytes there were.
    static func fill(_ buffer: UnsafeMutableRawBufferPointer, from descriptor: Int32) throws -> Int {
        var count = 0
        while count < buffer.count {
            try waitForInput(descriptor)
            let got = read(descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count)
            if got == 0 { break }
            if got > 0 { count += got }
            if got < 0, errno != EINTR, errno != EAGAIN {
                throw ConfigurationError(.unreadable, "the input cannot be read: \(String(cString: strerror(errno)))")
            }
        }
        return count
    }

    private static func next() throws -> UInt8? {
        var byte: UInt8 = 0
        let count = try withUnsafeMutableBytes(of: &byte) { try fill($0, from: STDIN_FILENO) }
        return count == 1 ? byte : nil
    }

    private static func waitForInput(_ descriptor: Int32) throws {
        while true {
            try Task.checkCancellation()
            if Signals.wasAsked { throw CancellationError() }
            var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&wanted, 1, 100) > 0 { return }
        }
    }
}

import Glibc
import KeyoverCore

/// Takes a secret in from standard input or from a file; never from an argument or the environment.
struct SecretInput {
    /// The longest secret that is taken.
    static let limit = 64 << 10

    let terminal: Terminal

    /// The secret on standard input; on a terminal it is asked for and not shown.
    func standardInput(asking question: String) throws -> SecretValue {
        guard isatty(STDIN_FILENO) == 1 else { return try read(STDIN_FILENO, named: "standard input") }
        terminal.ask("\(question): ")
        var shown = termios()
        guard tcgetattr(STDIN_FILENO, &shown) == 0 else { return try read(STDIN_FILENO, named: "standard input") }
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        hidden.c_lflag |= tcflag_t(ECHONL)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        defer { tcsetattr(STDIN_FILENO, TCSANOW, &shown) }
        var bytes = try StandardInput.line(limit: 4096)
        return try checked(SecretValue(consuming: &bytes), named: "the answer")
    }

    /// The secret in a file that nobody else can read.
    func file(_ path: String) throws -> SecretValue {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else {
            throw ConfigurationError(
                .unreadable, "\(path) cannot be read: \(String(cString: strerror(errno)))",
                remedy: "check the path of the file")
        }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else {
            throw ConfigurationError(.unreadable, "\(path) cannot be examined")
        }
        let isPlain = information.st_mode & S_IFMT == S_IFREG
        if isPlain, information.st_mode & 0o077 != 0 {
            throw ConfigurationError(
                .unreadable, "\(path) holds a secret and can be read or changed by others",
                remedy: "run chmod 600 \(path)")
        }
        if isPlain, information.st_uid != geteuid(), information.st_uid != 0 {
            throw ConfigurationError(
                .unreadable, "\(path) belongs to somebody else", remedy: "use a file of your own, with mode 0600")
        }
        return try read(descriptor, named: path)
    }

    private func read(_ descriptor: Int32, named source: String) throws -> SecretValue {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.limit + 2, alignment: 1)
        defer {
            if let base = buffer.baseAddress { explicit_bzero(base, buffer.count) }
            buffer.deallocate()
        }
        var count = try StandardInput.fill(buffer, from: descriptor)
        // One line end is what `echo` and editors add; a second one would be part of the secret.
        if count > 0, buffer[count - 1] == UInt8(ascii: "\n") { count -= 1 }
        return try checked(SecretValue(copying: buffer[..<count]), named: source)
    }

    private func checked(_ value: SecretValue, named source: String) throws -> SecretValue {
        if value.isEmpty {
            throw ConfigurationError(
                .invalidValue, "\(source) holds no secret", remedy: "give the secret there, with nothing before it")
        }
        if value.count > Self.limit {
            throw ConfigurationError(.invalidValue, "\(source) holds more than \(Self.limit) bytes")
        }
        return value
    }
}

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
        var shown = termios()
        guard tcgetattr(STDIN_FILENO, &shown) == 0 else { return try read(STDIN_FILENO, named: "standard input") }
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        hidden.c_lflag |= tcflag_t(ECHONL)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        defer { tcsetattr(STDIN_FILENO, TCSANOW, &shown) }
        // Asked only now: an answer typed at once is neither shown nor thrown away.
        terminal.ask("\(question): ")
        var bytes = try StandardInput.line(limit: 4096)
        return try checked(SecretValue(consuming: &bytes), named: "the answer")
    }

    /// A passphrase that is being chosen: asked for twice, on a terminal only.
    func chosenPassphrase(for what: String) throws -> SecretValue {
        guard Confirmation.isPossible else {
            throw ConfigurationError(
                .invalidValue, "a passphrase is chosen on a terminal only", remedy: "run the command on a terminal")
        }
        let first = try standardInput(asking: "New passphrase of \(what)")
        guard try standardInput(asking: "The same again") == first else {
            throw ConfigurationError(.invalidValue, "the two passphrases differ", remedy: "run the command again")
        }
        return first
    }

    /// The secret in a file that nobody else can read.
    func file(_ path: String) throws -> SecretValue {
        try withPrivateFile(path) { try read($0, named: path) }
    }

    /// All of a file that nobody else can read and that holds secrets among other things; `-` is standard input.
    func document(_ path: String, limit: Int) throws -> SecretValue {
        let isStandardInput = path == "-"
        let whole = { (descriptor: Int32) in
            let source = isStandardInput ? "standard input" : path
            return try collect(descriptor, named: source, limit: limit) { SecretValue(copying: $0) }
        }
        return try isStandardInput ? whole(STDIN_FILENO) : withPrivateFile(path, whole)
    }

    private func withPrivateFile<Result>(_ path: String, _ body: (Int32) throws -> Result) throws -> Result {
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
        return try body(descriptor)
    }

    private func read(_ descriptor: Int32, named source: String) throws -> SecretValue {
        let value = try collect(descriptor, named: source, limit: Self.limit + 1) { bytes in
            // One line end is what `echo` and editors add; a second one would be part of the secret.
            SecretValue(copying: bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes)
        }
        return try checked(value, named: source)
    }

    private func collect(
        _ descriptor: Int32, named source: String, limit: Int,
        _ body: (Slice<UnsafeMutableRawBufferPointer>) -> SecretValue
    ) throws -> SecretValue {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: limit + 1, alignment: 1)
        defer {
            if let base = buffer.baseAddress { explicit_bzero(base, buffer.count) }
            buffer.deallocate()
        }
        let count = try StandardInput.fill(buffer, from: descriptor)
        guard count <= limit else { throw Self.tooLong(source, limit == Self.limit + 1 ? Self.limit : limit) }
        return body(buffer[..<count])
    }

    private static func tooLong(_ source: String, _ limit: Int) -> ConfigurationError {
        ConfigurationError(.invalidValue, "\(source) holds more than \(limit) bytes")
    }

    private func checked(_ value: SecretValue, named source: String) throws -> SecretValue {
        if value.isEmpty {
            throw ConfigurationError(
                .invalidValue, "\(source) holds no secret", remedy: "give the secret there, with nothing before it")
        }
        if value.count > Self.limit {
            throw Self.tooLong(source, Self.limit)
        }
        return value
    }
}

import Glibc
import KeyoverCore

/// What the front says and how it ends; wording and codes are those of `keyover-main`.
enum Report {
    private static let failed: Int32 = 1
    private static let noSuchClient: Int32 = 3
    private static let vaultUnusable: Int32 = 5
    private static let busy: Int32 = 6
    private static let needsAttention: Int32 = 7

    /// Writes an answer to standard output, whole or not at all as far as the caller can tell.
    static func answer(_ text: SecretValue) throws(VaultError) {
        let isWritten = text.withUnsafeSecretBytes { write($0, to: STDOUT_FILENO) }
        guard isWritten else {
            throw VaultError(.invalid, "the answer could not be written: \(String(cString: strerror(errno)))")
        }
    }

    /// Says what went wrong; answers the exit code.
    static func failure(_ error: VaultError) -> Int32 {
        say(error.message, hint: error.remedy)
        switch error.code {
        case .conflict: return busy
        case .exists, .invalid, .tooLarge: return failed
        default: return vaultUnusable
        }
    }

    /// Says that a client is not to be given out; answers the exit code.
    static func failure(_ error: RotationError) -> Int32 {
        say(error.message, hint: error.remedy)
        return error.code == .restored || error.code == .moved ? needsAttention : failed
    }

    /// Says what went wrong; answers the exit code.
    static func failure(_ message: String, hint: String?) -> Int32 {
        say(message, hint: hint)
        return failed
    }

    static func unknownClient(_ name: ClientName) -> Int32 {
        say("there is no client named \(name)", hint: "run keyover client list")
        return noSuchClient
    }

    private static func say(_ message: String, hint: String?) {
        let lines = ["error: " + printable(message)] + (hint.map { ["hint: " + printable($0)] } ?? [])
        Array((lines.joined(separator: "\n") + "\n").utf8).withUnsafeBytes { _ = write($0, to: STDERR_FILENO) }
    }

    /// Paths come from outside, and a terminal obeys control characters.
    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : $0 }))
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            written += count
        }
        return true
    }
}

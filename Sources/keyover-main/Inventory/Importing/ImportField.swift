import KeyoverCore

/// A value in a file that holds secrets: where it lies, not what it is.
///
/// The file stays in secret memory; only those values are copied out of it that are needed, secrets straight to secret
/// memory again.
struct ImportField: Sendable {
    /// What has to be taken out of the bytes.
    enum Escaping {
        /// Nothing.
        case none
        /// Each pair of quotes stands for one (RFC 4180).
        case doubledQuotes
        /// A backslash makes what follows stand for itself, where that is `"`, `\`, `$` or a backtick, as in a shell.
        case backslashes
    }

    let range: Range<Int>
    var escaping = Escaping.none

    /// The value as text; `nil` when it is not UTF-8.
    func text(in file: UnsafeRawBufferPointer) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        forEach(in: file) { bytes.append($0) }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The value as a secret.
    func secret(in file: UnsafeRawBufferPointer) -> SecretValue {
        var count = 0
        forEach(in: file) { _ in count += 1 }
        return SecretValue(count: count) { buffer in
            var index = 0
            forEach(in: file) { byte in
                buffer[index] = byte
                index += 1
            }
        }
    }

    private func forEach(in file: UnsafeRawBufferPointer, _ body: (UInt8) -> Void) {
        var index = range.lowerBound
        while index < range.upperBound {
            let next = index + 1 < range.upperBound ? file[index + 1] : nil
            switch escaping {
            case .none: break
            case .doubledQuotes: if file[index] == UInt8(ascii: "\""), next == UInt8(ascii: "\"") { index += 1 }
            case .backslashes: if file[index] == UInt8(ascii: "\\"), next.map(Self.isSpecial) == true { index += 1 }
            }
            body(file[index])
            index += 1
        }
    }

    private static func isSpecial(_ byte: UInt8) -> Bool { "\"\\$`".utf8.contains(byte) }
}

/// Something in a file that cannot be right; never with a value out of the file in it.
struct ImportMistake: Error {
    /// The line, counted from 1.
    let line: Int
    let message: String
}

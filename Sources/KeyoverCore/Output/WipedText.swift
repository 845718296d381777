import Glibc

/// Text with a secret in it, put together so that growing leaves no copy behind.
struct WipedText {
    private var bytes: [UInt8] = []

    mutating func append(_ text: String) {
        append(text.utf8)
    }

    mutating func append(_ more: some Collection<UInt8>) {
        if bytes.count + more.count > bytes.capacity {
            var larger: [UInt8] = []
            larger.reserveCapacity(max(1024, 2 * (bytes.count + more.count)))
            larger += bytes
            wipe()
            bytes = larger
        }
        bytes += more
    }

    /// A JSON string; bytes that are no UTF-8 become U+FFFD, as JSON cannot hold them.
    mutating func appendJSON(_ text: some Collection<UInt8>) {
        append("\"")
        var decoder = UTF8()
        var iterator = text.makeIterator()
        decoding: while true {
            switch decoder.decode(&iterator) {
            case .emptyInput: break decoding
            case .error: append("\u{FFFD}")
            case .scalarValue(let scalar): appendJSON(scalar)
            }
        }
        append("\"")
    }

    /// A word in single quotes, in which a POSIX shell sees nothing special.
    mutating func appendShell(_ text: some Collection<UInt8>) {
        append("'")
        for byte in text {
            if byte == UInt8(ascii: "'") { append("'\\''") } else { append(CollectionOfOne(byte)) }
        }
        append("'")
    }

    mutating func finish() -> SecretValue {
        SecretValue(consuming: &bytes)
    }

    private mutating func appendJSON(_ scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0x22: append("\\\"")
        case 0x5C: append("\\\\")
        case 0x0A: append("\\n")
        case 0x0D: append("\\r")
        case 0x09: append("\\t")
        case ..<0x20, 0x7F: append("\\u00" + Hex.encode(CollectionOfOne(UInt8(scalar.value))))
        default: append(Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter))
        }
    }

    private mutating func wipe() {
        bytes.withUnsafeMutableBytes { buffer in
            if let base = buffer.baseAddress { explicit_bzero(base, buffer.count) }
        }
    }
}

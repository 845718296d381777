import KeyoverCore

/// Text with keys in it, put together in memory that is wiped.
struct SecretText {
    private static let digits = Array("0123456789abcdef".utf8)
    private var bytes: [UInt8] = []

    init() {
        // Growing would leave copies behind; a key file of two epochs has some 700 bytes, and 80 for each recipient.
        bytes.reserveCapacity(64 << 10)
    }

    mutating func append(_ text: String) {
        bytes += Array(text.utf8)
    }

    mutating func append(_ name: String, _ key: SecretValue) {
        append(name + ": ")
        key.withUnsafeSecretBytes { raw in
            for byte in raw {
                bytes.append(Self.digits[Int(byte >> 4)])
                bytes.append(Self.digits[Int(byte & 15)])
            }
        }
        append("\n")
    }

    mutating func finish() -> SecretValue {
        SecretValue(consuming: &bytes)
    }
}

/// Lines of text with keys in them, taken one by one without copying the keys out of secret memory.
struct SecretLines {
    private let text: SecretValue
    private var position = 0

    init(_ text: SecretValue) {
        self.text = text
    }

    var isAtEnd: Bool { position == text.count }

    /// Takes the line when it is exactly this one.
    mutating func takeLine(_ line: String) -> Bool {
        take { $0.elementsEqual(line.utf8) ? true : nil } ?? false
    }

    /// Takes the line `name: text` and answers the text.
    mutating func takeText(_ name: String) -> String? {
        take { line in
            Self.value(of: name, line).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// Takes the lines `name: text` that follow one another; `nil` when one of them says nothing that makes sense.
    mutating func takeAll<Value>(_ name: String, as read: (String) -> Value?) -> [Value]? {
        var values: [Value] = []
        while let text = takeText(name) {
            guard let value = read(text) else { return nil }
            values.append(value)
        }
        return values
    }

    /// Takes the line `name: 64 digits` and answers the 32 bytes.
    mutating func takeKey(_ name: String) -> SecretValue? {
        take { line in
            guard let digits = Self.value(of: name, line), digits.count == 64 else { return nil }
            var isValid = true
            let key = SecretValue(count: 32) { output in
                for index in 0..<32 {
                    let start = digits.startIndex + 2 * index
                    guard let high = Self.digit(digits[start]), let low = Self.digit(digits[start + 1]) else {
                        isValid = false
                        return
                    }
                    output[index] = high << 4 | low
                }
            }
            return isValid ? key : nil
        }
    }

    private mutating func take<Result>(_ read: (Slice<UnsafeRawBufferPointer>) -> Result?) -> Result? {
        let (result, next): (Result?, Int) = text.withUnsafeSecretBytes { raw in
            let rest = raw[position...]
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return (nil, position) }
            return (read(rest[..<end]), end + 1)
        }
        if result != nil { position = next }
        return result
    }

    private static func value(
        of name: String, _ line: Slice<UnsafeRawBufferPointer>
    ) -> Slice<UnsafeRawBufferPointer>? {
        let prefix = Array((name + ": ").utf8)
        return line.starts(with: prefix) ? line.dropFirst(prefix.count) : nil
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case 48...57: character - 48
        case 97...102: character - 87
        default: nil
        }
    }
}

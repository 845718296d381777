/// The textual form of an age file: strict PEM with lines of 64 columns.
public enum AgeArmor {
    private static let begin = Array("-----BEGIN AGE ENCRYPTED FILE-----".utf8)
    private static let end = Array("-----END AGE ENCRYPTED FILE-----".utf8)
    private static let newline = UInt8(ascii: "\n")
    private static let columns = 64

    /// Whether the bytes begin as armor does, blank space before it aside.
    public static func isArmored(_ file: [UInt8]) -> Bool {
        file.drop(while: isSpace).starts(with: begin)
    }

    /// The textual form.
    public static func encode(_ file: [UInt8]) -> [UInt8] {
        var text = begin + [newline]
        var digits = StrictBase64.encode(file, padded: true)[...]
        while !digits.isEmpty {
            text += digits.prefix(columns) + [newline]
            digits = digits.dropFirst(columns)
        }
        return text + end + [newline]
    }

    /// The binary form; blank space is tolerated before and after, and line ends may be CR LF.
    public static func decode(_ text: [UInt8]) throws(AgeError) -> [UInt8] {
        var body = text.drop(while: isSpace)
        while let last = body.last, isSpace(last) { body.removeLast() }
        var lines = body.split(separator: newline, omittingEmptySubsequences: false).map { line in
            line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        }
        guard lines.count >= 2, lines.removeFirst().elementsEqual(begin), lines.removeLast().elementsEqual(end),
            lines.last.map({ (1...columns).contains($0.count) }) ?? true,
            lines.dropLast().allSatisfy({ $0.count == columns && $0.last != UInt8(ascii: "=") })
        else { throw AgeError(.armor, "the armor is malformed") }
        guard let file = StrictBase64.decode(Array(lines.joined()), padded: true) else {
            throw AgeError(.armor, "the armor holds malformed base64")
        }
        return file
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
}

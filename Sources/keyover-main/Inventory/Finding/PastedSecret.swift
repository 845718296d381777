import KeyoverCore
import KeyoverEngine

/// A string that turned up somewhere, and what may be left of it once the traces of copying are taken off.
///
/// Whoever copies a secret out of a ticket, a chat or a source file brings line ends, blanks and quotes along.
struct PastedSecret {
    /// What was done to the string.
    enum Form: String, Encodable {
        case asGiven
        case withLineEnd
        case withoutTrailingSpace
        case withoutSurroundingSpace
        case withoutQuotes

        /// In words; `nil` when nothing was done.
        var words: String? {
            switch self {
            case .asGiven: nil
            case .withLineEnd: "with a line end behind it"
            case .withoutTrailingSpace: "without the white space behind it"
            case .withoutSurroundingSpace: "without the white space around it"
            case .withoutQuotes: "without the quotes around it"
            }
        }
    }

    /// Deeper than this nobody quotes.
    private static let depth = 4

    // Besides ASCII what web pages and word processors put in: no-break space, zero-width space, byte order mark.
    private static let blanks: [[UInt8]] =
        [0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D].map { [$0] } + [[0xC2, 0xA0], [0xE2, 0x80, 0x8B], [0xEF, 0xBB, 0xBF]]
    private static let quotes: [(open: [UInt8], close: [UInt8])] = [
        ("\"", "\""), ("'", "'"), ("`", "`"), ("\u{201C}", "\u{201D}"), ("\u{2018}", "\u{2019}"),
        ("\u{AB}", "\u{BB}"),
    ].map { (Array($0.utf8), Array($1.utf8)) }

    /// The possible secrets, the least changed first, none of them empty.
    let variants: [(form: Form, value: SecretValue)]

    init(_ given: SecretValue) {
        variants = given.withUnsafeSecretBytes { bytes in
            var found: [(form: Form, value: SecretValue)] = [(.asGiven, given)]
            found.append(
                (
                    .withLineEnd,
                    SecretValue(count: bytes.count + 1) { buffer in
                        buffer.copyMemory(from: bytes)
                        buffer[bytes.count] = UInt8(ascii: "\n")
                    }
                ))
            var rest = bytes[...]
            func keep(_ form: Form, _ next: Slice<UnsafeRawBufferPointer>) {
                if next.count < rest.count, !next.isEmpty { found.append((form, SecretValue(copying: next))) }
                rest = next
            }
            keep(.withoutTrailingSpace, Self.trimmedBehind(rest))
            keep(.withoutSurroundingSpace, Self.trimmedBefore(rest))
            for _ in 1...Self.depth {
                guard let inner = Self.unquoted(rest) else { break }
                keep(.withoutQuotes, inner)
                keep(.withoutQuotes, Self.trimmedBefore(Self.trimmedBehind(rest)))
            }
            return found
        }
    }

    /// The fingerprint of each variant, which is how a vault knows secrets that it does not hold any more.
    func fingerprints(in vault: any Vault) async throws(VaultError) -> [Fingerprint: Form] {
        var forms: [Fingerprint: Form] = [:]
        for (form, value) in variants {
            let fingerprint = try await vault.fingerprint(of: value)
            forms[fingerprint] = forms[fingerprint] ?? form
        }
        return forms
    }

    private typealias Piece = Slice<UnsafeRawBufferPointer>

    private static func trimmedBehind(_ piece: Piece) -> Piece {
        var piece = piece
        while let blank = blanks.first(where: { piece.suffix($0.count).elementsEqual($0) }) {
            piece = piece.dropLast(blank.count)
        }
        return piece
    }

    private static func trimmedBefore(_ piece: Piece) -> Piece {
        var piece = piece
        while let blank = blanks.first(where: { piece.starts(with: $0) }) { piece = piece.dropFirst(blank.count) }
        return piece
    }

    private static func unquoted(_ piece: Piece) -> Piece? {
        let pair = quotes.first { open, close in
            piece.count > open.count + close.count && piece.starts(with: open)
                && piece.suffix(close.count).elementsEqual(close)
        }
        return pair.map { piece.dropFirst($0.open.count).dropLast($0.close.count) }
    }
}

/// Colours, used sparingly, and the width of text on a screen.
enum Styled {
    case bold, dim, red, green, yellow, cyan

    private var code: String {
        switch self {
        case .bold: "1"
        case .dim: "2"
        case .red: "31"
        case .green: "32"
        case .yellow: "33"
        case .cyan: "36"
        }
    }

    /// The text in this style where the stream shows colours, and as it is elsewhere.
    func callAsFunction(_ text: String, on stream: Terminal.Stream) -> String {
        stream.hasColor && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    /// The columns that a text takes, styles left out.
    static func width(_ text: String) -> Int {
        var columns = 0
        var isEscaped = false
        for character in text {
            if character == "\u{1B}" {
                isEscaped = true
            } else if isEscaped {
                isEscaped = character != "m"
            } else {
                columns += 1
            }
        }
        return columns
    }

    /// The beginning of a text that fits, with its styles closed.
    static func cut(_ text: String, to columns: Int) -> String {
        guard width(text) > columns else { return text }
        var (result, used, isEscaped) = ("", 0, false)
        for character in text {
            if character == "\u{1B}" {
                isEscaped = true
            } else if isEscaped {
                isEscaped = character != "m"
            } else {
                guard used < columns - 1 else { break }
                used += 1
            }
            result.append(character)
        }
        return result + "…" + (text.contains("\u{1B}") ? "\u{1B}[0m" : "")
    }
}

extension String {
    /// The text with spaces up to a width.
    func padded(to columns: Int) -> String {
        self + String(repeating: " ", count: max(0, columns - Styled.width(self)))
    }

    /// The text with what could move the cursor or hide text shown as `?`.
    ///
    /// Names, labels and messages of servers are written by others.
    var printable: String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0.properties.isSafeToPrint ? $0 : "?" }))
    }
}

extension Unicode.Scalar.Properties {
    fileprivate var isSafeToPrint: Bool {
        switch generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}

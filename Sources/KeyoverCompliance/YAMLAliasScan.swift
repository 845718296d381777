/// Refuses aliases before a document is put together, since putting it together is what they make endless.
///
/// A text without `*` has none. In others each line is looked at by itself, and a quote or bracket that a line does not
/// close, or a block of text, is refused too: what begins on the next line could not be told apart from an alias.
struct YAMLAliasScan {
    private let line: [UInt8]
    private var index = 0
    private var depth = 0
    private var mayBegin = true

    /// Throws at the first place that is an alias or could hide one.
    static func check(_ text: String) throws(YAMLMapping.Objection) {
        let bytes = Array(text.utf8)
        let isPossible = zip(bytes, bytes.dropFirst()).contains { $0 == UInt8(ascii: "*") && $1 > UInt8(ascii: " ") }
        guard isPossible else { return }
        for (number, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
        {
            var scan = Self(line: Array(line))
            guard let message = scan.objection() else { continue }
            throw YAMLMapping.Objection(
                place: YAMLMapping.Place(line: number + 1, column: scan.index + 1), message: message)
        }
    }

    private init(line: [UInt8]) {
        self.line = line
    }

    /// What is wrong with the line, with the index on it.
    private mutating func objection() -> String? {
        let unfinished = "in a file with a * in it, what a line begins in quotes, brackets or as a block it has to end"
        while index < line.count {
            let isFollowedByBlank = index + 1 == line.count || line[index + 1] <= UInt8(ascii: " ")
            switch line[index] {
            case 0...UInt8(ascii: " "):
                break
            case UInt8(ascii: "#") where index == 0 || line[index - 1] <= UInt8(ascii: " "):
                index = line.count
            case UInt8(ascii: "*") where mayBegin && !isFollowedByBlank:
                return "no aliases here; write it out, or put a text that begins with * in quotes"
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                if mayBegin, !skipQuoted() { return unfinished }
                mayBegin = false
            case UInt8(ascii: "|"), UInt8(ascii: ">"):
                if mayBegin, depth == 0 { return unfinished }
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                if mayBegin || depth > 0 { depth += 1 }
                mayBegin = depth > 0
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth = max(0, depth - 1)
                mayBegin = false
            case UInt8(ascii: ","):
                mayBegin = depth > 0
            case UInt8(ascii: ":"):
                mayBegin = isFollowedByBlank || depth > 0
            case UInt8(ascii: "-"), UInt8(ascii: "?"):
                mayBegin = mayBegin && isFollowedByBlank
            case UInt8(ascii: "&") where mayBegin, UInt8(ascii: "!") where mayBegin:
                // An anchor or a tag: the value comes behind it.
                while index + 1 < line.count, line[index + 1] > UInt8(ascii: " ") { index += 1 }
            default:
                mayBegin = false
            }
            index += 1
        }
        return depth > 0 ? unfinished : nil
    }

    /// Goes to the quote that closes the one at the index; `false` when the line has none.
    private mutating func skipQuoted() -> Bool {
        let quote = line[index]
        var end = index + 1
        while end < line.count {
            if quote == UInt8(ascii: "\""), line[end] == UInt8(ascii: "\\") {
                end += 2
            } else if line[end] == quote, quote == UInt8(ascii: "'"), end + 1 < line.count, line[end + 1] == quote {
                end += 2
            } else if line[end] == quote {
                index = end
                return true
            } else {
                end += 1
            }
        }
        return false
    }
}

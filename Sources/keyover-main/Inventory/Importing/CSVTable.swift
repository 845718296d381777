/// The rows of a file as RFC 4180 describes it: fields in quotes where they need it, LF or CRLF, one row of headings.
struct CSVTable {
    /// One row with the line that it begins on.
    struct Row {
        let line: Int
        var fields: [ImportField] = []
    }

    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// The rows; lines with nothing on them are left out.
    private(set) var rows: [Row] = []

    private let file: UnsafeRawBufferPointer
    private var position = 0
    private var line = 1

    /// Reads a file.
    init(_ file: UnsafeRawBufferPointer) throws(ImportMistake) {
        self.file = file
        if file.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        while position < file.count {
            let row = try nextRow()
            let isBlank = row.fields.count == 1 && row.fields[0].range.isEmpty && row.fields[0].escaping == .none
            if !isBlank { rows.append(row) }
        }
    }

    private mutating func nextRow() throws(ImportMistake) -> Row {
        var row = Row(line: line)
        while true {
            let isQuoted = position < file.count && file[position] == Self.quote
            row.fields.append(try isQuoted ? nextQuotedField() : nextPlainField())
            guard position < file.count else { return row }
            let separator = file[position]
            position += 1
            if separator == Self.lineFeed {
                line += 1
                return row
            }
        }
    }

    /// Leaves the position on the comma or the line feed behind the field.
    private mutating func nextPlainField() throws(ImportMistake) -> ImportField {
        let start = position
        while position < file.count, file[position] != Self.comma, file[position] != Self.lineFeed {
            guard file[position] != Self.quote else {
                throw ImportMistake(
                    line: line, message: "a quote stands within a field; put the field in quotes and double those in it"
                )
            }
            position += 1
        }
        let endsLine = position == file.count || file[position] == Self.lineFeed
        let hasReturn = endsLine && position > start && file[position - 1] == Self.carriageReturn
        return ImportField(range: start..<position - (hasReturn ? 1 : 0))
    }

    private mutating func nextQuotedField() throws(ImportMistake) -> ImportField {
        let firstLine = line
        position += 1
        let start = position
        while true {
            guard position < file.count else {
                throw ImportMistake(line: firstLine, message: "a quote is opened here and never closed")
            }
            if file[position] == Self.lineFeed { line += 1 }
            if file[position] == Self.quote {
                guard position + 1 < file.count, file[position + 1] == Self.quote else { break }
                position += 1
            }
            position += 1
        }
        let field = ImportField(range: start..<position, escaping: .doubledQuotes)
        position += 1
        if position < file.count, file[position] == Self.carriageReturn { position += 1 }
        guard position == file.count || file[position] == Self.comma || file[position] == Self.lineFeed else {
            throw ImportMistake(line: line, message: "something stands between a closing quote and the next comma")
        }
        return field
    }
}

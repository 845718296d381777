/// The assignments of a `.env` file: `NAME=value` a line, comments, `export`, quotes; nothing is expanded.
///
/// Without quotes a value ends before white space with `#` behind it, and is rid of white space around it. Within single
/// quotes everything stands for itself; within double quotes a backslash may stand before `"`, `\`, `$` and a backtick.
struct DotenvFile {
    /// One assignment.
    struct Assignment {
        let line: Int
        let name: String
        let value: ImportField
    }

    /// The assignments in the order of the file.
    private(set) var assignments: [Assignment] = []
    /// The lines that make no sense.
    private(set) var mistakes: [ImportMistake] = []

    private let file: UnsafeRawBufferPointer

    /// Reads a file.
    init(_ file: UnsafeRawBufferPointer) {
        self.file = file
        var start = file.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        var line = 1
        while start < file.count {
            let end = file[start...].firstIndex(of: UInt8(ascii: "\n")) ?? file.count
            do {
                if let assignment = try read(trimmed(start..<end), line) { assignments.append(assignment) }
            } catch {
                mistakes.append(error)
            }
            start = end + 1
            line += 1
        }
    }

    private func read(_ range: Range<Int>, _ line: Int) throws(ImportMistake) -> Assignment? {
        guard let first = range.first, file[first] != UInt8(ascii: "#") else { return nil }
        var rest = range
        let export = Array("export".utf8)
        if file[rest].starts(with: export), rest.count > export.count, isBlank(file[rest.lowerBound + export.count]) {
            rest = trimmed(rest.lowerBound + export.count..<rest.upperBound)
        }
        guard let equals = file[rest].firstIndex(of: UInt8(ascii: "=")),
            let name = name(trimmed(rest.lowerBound..<equals))
        else {
            throw ImportMistake(line: line, message: "this is no NAME=value")
        }
        let value = try value(trimmed(equals + 1..<rest.upperBound), line)
        return Assignment(line: line, name: name, value: value)
    }

    private func name(_ range: Range<Int>) -> String? {
        func isWord(_ byte: UInt8) -> Bool {
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95
        }
        guard (1...256).contains(range.count), file[range].allSatisfy(isWord),
            !(48...57).contains(file[range.lowerBound])
        else { return nil }
        return String(decoding: file[range], as: UTF8.self)
    }

    private func value(_ range: Range<Int>, _ line: Int) throws(ImportMistake) -> ImportField {
        guard let first = range.first else { return ImportField(range: range) }
        let quote = file[first]
        guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            let comment = range.first { file[$0] == UInt8(ascii: "#") && isBlank(file[$0 - 1]) }
            return ImportField(range: trimmed(range.lowerBound..<(comment ?? range.upperBound)))
        }
        let hasEscapes = quote == UInt8(ascii: "\"")
        var index = first + 1
        while index < range.upperBound, file[index] != quote {
            index += hasEscapes && file[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard index < range.upperBound else {
            throw ImportMistake(line: line, message: "a quote is not closed on this line")
        }
        let behind = trimmed(index + 1..<range.upperBound)
        guard behind.isEmpty || file[behind.lowerBound] == UInt8(ascii: "#") else {
            throw ImportMistake(line: line, message: "something stands behind the closing quote")
        }
        return ImportField(range: first + 1..<index, escaping: hasEscapes ? .backslashes : .none)
    }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        guard let first = range.first(where: { !isBlank(file[$0]) }),
            let last = range.last(where: { !isBlank(file[$0]) })
        else { return range.lowerBound..<range.lowerBound }
        return first..<last + 1
    }

    private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
}

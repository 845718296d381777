import FoundationEssentials

/// Rows under headings, for people; adapts to the width of the terminal.
struct Table {
    var headings: [String]
    var rows: [[String]] = []

    init(_ headings: String...) {
        self.headings = headings
    }

    /// The lines, or none when there are no rows.
    ///
    /// The last column takes what is left; where that is too little, the widest column gives way.
    func lines(width: Int?, on stream: Terminal.Stream) -> [String] {
        guard !rows.isEmpty else { return [] }
        var widths = headings.map(Styled.width)
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], Styled.width(cell)) }
        }
        if let width {
            var excess = widths.reduce(0, +) + 2 * (widths.count - 1) - width
            while excess > 0, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }), widths[widest] > 8 {
                widths[widest] -= 1
                excess -= 1
            }
        }
        func line(_ cells: [String], _ style: Styled?) -> String {
            let joined = zip(cells, widths).map { Styled.cut($0, to: $1).padded(to: $1) }.joined(separator: "  ")
            let trimmed = joined.prefix(
                joined.lastIndex { $0 != " " }.map { joined.distance(from: joined.startIndex, to: $0) + 1 } ?? 0)
            return style.map { $0(String(trimmed), on: stream) } ?? String(trimmed)
        }
        return [line(headings, .bold)] + rows.map { line($0, nil) }
    }
}

/// Names and values, one a line; values that are not there are left out.
struct Sheet {
    private var entries: [(name: String, value: String)] = []

    mutating func add(_ name: String, _ value: String?) {
        guard let value, !value.isEmpty else { return }
        entries.append((name, value))
    }

    func lines(on stream: Terminal.Stream) -> [String] {
        let width = (entries.map { $0.name.count }.max() ?? 0) + 2
        return entries.map { Styled.dim(($0.name + ":").padded(to: width), on: stream) + " " + $0.value }
    }
}

extension Terminal {
    func show(_ table: Table) {
        for line in table.lines(width: width, on: output) { print(line) }
    }

    func show(_ sheet: Sheet) {
        for line in sheet.lines(on: output) { print(line) }
    }

    /// A value as JSON: sorted keys, indented for files and screens, or on one line.
    func show(json value: some Encodable, onOneLine: Bool = false) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if !onOneLine { encoder.outputFormatting.insert(.prettyPrinted) }
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}

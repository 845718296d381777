/// What a file may say about a client.
enum ImportColumn: Hashable {
    case name, tenant, clientID, clientSecret, secretID, issuedAt, tokenURL, scope, auth, owner, consumerCache
    case label(String)

    /// All columns with a name of their own, as headings of a table.
    static let named: [(heading: String, column: ImportColumn)] = [
        ("name", .name), ("tenant", .tenant), ("client_id", .clientID), ("client_secret", .clientSecret),
        ("secret_id", .secretID), ("issued_at", .issuedAt), ("token_url", .tokenURL), ("scope", .scope),
        ("auth", .auth), ("owner", .owner), ("consumer_cache", .consumerCache),
    ]

    /// All headings, in words.
    static var words: String { named.map(\.heading).joined(separator: ", ") + ", label.KEY" }

    /// The column under a heading.
    init?(heading: String) {
        if let known = Self.named.first(where: { $0.heading == heading }) {
            self = known.column
        } else if heading.hasPrefix("label."), heading != "label." {
            self = .label(String(heading.dropFirst("label.".count)))
        } else {
            return nil
        }
    }

    /// The heading of the column.
    var heading: String {
        if case .label(let key) = self { return "label.\(key)" }
        return Self.named.first { $0.column == self }?.heading ?? ""
    }
}

/// What a file says about one client, before any of it was looked at.
struct ImportDraft {
    let line: Int
    /// What stands before `_CLIENT_ID` in a `.env` file; `nil` in a table.
    var prefix: String?
    var fields: [ImportColumn: ImportField] = [:]

    /// What the file itself calls a field.
    func title(of column: ImportColumn) -> String {
        prefix.map { "\($0)_\(column.heading.uppercased())" } ?? column.heading
    }
}

/// The forms of files that hold clients with their secrets.
enum ImportForm: String, CaseIterable {
    case csv
    case env

    /// What the file says, client by client, and what is wrong with it as a file.
    func drafts(in file: UnsafeRawBufferPointer, hasTenant: Bool) -> (drafts: [ImportDraft], mistakes: [ImportMistake])
    {
        if let index = file.firstIndex(of: 0) {
            let line = file[..<index].count { $0 == UInt8(ascii: "\n") } + 1
            return ([], [ImportMistake(line: line, message: "a NUL byte, so this is no text")])
        }
        switch self {
        case .csv: return Self.tableDrafts(file, hasTenant: hasTenant)
        case .env: return Self.dotenvDrafts(file)
        }
    }

    // MARK: CSV

    private static func tableDrafts(
        _ file: UnsafeRawBufferPointer, hasTenant: Bool
    ) -> (drafts: [ImportDraft], mistakes: [ImportMistake]) {
        let (table, columns): (CSVTable, [ImportColumn])
        do {
            table = try CSVTable(file)
            columns = try headings(table.rows.first, file, hasTenant: hasTenant)
        } catch let error as ImportMistake {
            return ([], [error])
        } catch {
            return ([], [ImportMistake(line: 1, message: "this is no table")])
        }
        var drafts: [ImportDraft] = []
        var mistakes: [ImportMistake] = []
        for row in table.rows.dropFirst() {
            if row.fields.count == columns.count {
                let fields = Dictionary(zip(columns, row.fields)) { first, _ in first }
                drafts.append(ImportDraft(line: row.line, fields: fields))
            } else {
                mistakes.append(
                    ImportMistake(
                        line: row.line,
                        message: "\(row.fields.count) fields under \(columns.count) headings; is a comma not in quotes?"
                    ))
            }
        }
        if drafts.isEmpty, mistakes.isEmpty { mistakes.append(ImportMistake(line: 1, message: "no client in it")) }
        return (drafts, mistakes)
    }

    private static func headings(
        _ row: CSVTable.Row?, _ file: UnsafeRawBufferPointer, hasTenant: Bool
    ) throws -> [ImportColumn] {
        guard let row else { throw ImportMistake(line: 1, message: "it is empty; the first row holds the headings") }
        let texts = row.fields.map { $0.text(in: file) ?? "" }
        let required = ["name", "client_id", "client_secret"] + (hasTenant ? [] : ["tenant"])
        let missing = required.filter { !texts.contains($0) }
        // Where the headings were left out, the first row holds a secret: nothing of it is repeated.
        guard missing.isEmpty else {
            let tenant = missing == ["tenant"] ? " (or give --tenant)" : ""
            throw ImportMistake(
                line: row.line, message: "the first row lacks the heading \(missing.joined(separator: ", "))\(tenant)")
        }
        var columns: [ImportColumn] = []
        for text in texts {
            guard let column = ImportColumn(heading: text) else {
                let shown = text.count > 64 ? text.prefix(64) + "..." : text[...]
                throw ImportMistake(
                    line: row.line,
                    message: "there is no column \(String(shown).printable); the columns are \(ImportColumn.words)")
            }
            guard !columns.contains(column) else {
                throw ImportMistake(
                    line: row.line, message: "the heading \(column.heading.printable) stands there twice")
            }
            columns.append(column)
        }
        return columns
    }

    // MARK: .env

    private static let suffixes: [(suffix: String, column: ImportColumn)] = [
        ("_CLIENT_ID", .clientID), ("_CLIENT_SECRET", .clientSecret), ("_TOKEN_URL", .tokenURL), ("_SCOPE", .scope),
    ]

    private static func dotenvDrafts(
        _ file: UnsafeRawBufferPointer
    ) -> (drafts: [ImportDraft], mistakes: [ImportMistake]) {
        let dotenv = DotenvFile(file)
        var mistakes = dotenv.mistakes
        var seen: Set<String> = []
        var drafts: [String: ImportDraft] = [:]
        for assignment in dotenv.assignments {
            let (line, name) = (assignment.line, assignment.name)
            guard let (suffix, column) = suffixes.first(where: { ("_" + name).hasSuffix($0.suffix) }) else { continue }
            guard seen.insert(name).inserted else {
                mistakes.append(ImportMistake(line: line, message: "\(name) stands there twice"))
                continue
            }
            guard name.count > suffix.count else {
                if column == .clientID || column == .clientSecret {
                    let message = "\(name) has nothing before it to name the client by; write NAME\(suffix)"
                    mistakes.append(ImportMistake(line: line, message: message))
                }
                continue
            }
            let prefix = String(name.dropLast(suffix.count))
            var draft = drafts[prefix] ?? ImportDraft(line: line, prefix: prefix)
            draft.fields[column] = assignment.value
            drafts[prefix] = draft
        }
        // A token URL or a scope by itself is somebody else's variable.
        let clients = drafts.values.filter { $0.fields[.clientID] != nil || $0.fields[.clientSecret] != nil }
        if clients.isEmpty, mistakes.isEmpty {
            let message = "no client in it: no NAME_CLIENT_ID with NAME_CLIENT_SECRET"
            mistakes.append(ImportMistake(line: 1, message: message))
        }
        return (clients.sorted { $0.line < $1.line }, mistakes)
    }
}

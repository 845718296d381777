import FoundationEssentials
import Testing

/// The manual page and the pages under docs speak of the program that is there.
@Suite("Manual")
struct ManualTests {
    /// The options that the manual page explains once, before the commands.
    private static let shared: Set = [
        "--config", "--vault", "--identity", "--quiet", "-q", "--verbose", "-v", "--no-color", "--help", "-h",
        "--version", "-y",
    ]

    @Test("the manual page explains every command, and every option at its command")
    func complete() async throws {
        let tree = try await CommandTree.ofTheProgram()
        let page = ManualPage(try Repository.text(of: "docs/man/keyover.1"))
        #expect(tree.leaves.count > 20)
        for command in tree.leaves {
            let entry = page.words(at: command.path)
            #expect(entry != nil, "\(command.path) is not there")
            let missing = Set(command.options.keys).subtracting(Self.shared).subtracting(entry ?? [])
            #expect(missing.isEmpty, "\(command.path) lacks \(missing.sorted())")
        }
        let missing = Self.shared.subtracting(page.sharedWords)
        #expect(missing.isEmpty, "the options of all commands lack \(missing.sorted())")
    }

    @Test("the manual page renders without a warning, within 80 columns")
    func rendered() async throws {
        let home = try KeyoverHome()
        let page = Repository.path + "/docs/man/keyover.1"
        let result = try await home.start(
            program: "/usr/bin/groff", ["-man", "-ww", "-Tutf8", "-P-cbou", "-rLL=80n", page]
        ).finish()
        #expect(result.exitCode == 0)
        #expect(result.errors.isEmpty, "\(result.errors)")
        #expect(result.output.contains("IDENTITY SOURCES"))
        let long = result.output.split(separator: "\n").filter { $0.count > 80 }
        #expect(long.isEmpty, "\(long)")
    }

    @Test("the commands on the pages exist, with the options that they are given")
    func pages() async throws {
        let tree = try await CommandTree.ofTheProgram()
        let names = try FileManager.default.contentsOfDirectory(atPath: Repository.path + "/docs")
        var count = 0
        for page in ["README.md"] + names.filter({ $0.hasSuffix(".md") }).sorted().map({ "docs/" + $0 }) {
            for line in ShellLines.inCode(of: try Repository.text(of: page)) {
                for words in ShellLines.calls(in: line) {
                    count += 1
                    let complaint = tree.complaint(about: words)
                    #expect(complaint == nil, "\(page): \(complaint ?? "") in: \(line)")
                }
            }
        }
        #expect(count > 50)
    }

    @Test(
        "a wrong command or option on a page is noticed",
        arguments: [
            ["rotat", "x"], ["vault", "bakup"], ["rotate", "x", "--dryrun"], ["vault", "rekey", "--recipient", "x"],
            ["rotate", "x", "--wait"],
        ])
    func noticed(words: [String]) async throws {
        let tree = try await CommandTree.ofTheProgram()
        #expect(tree.complaint(about: words) != nil)
    }

    @Test("the tests that the threat model names are there")
    func claims() throws {
        // The last cell of each row names them.
        let cells = try Repository.rows(of: "THREAT_MODEL.md").compactMap { row in
            row.last { $0 != " " && !$0.isEmpty }
        }
        let names = cells.flatMap(Self.quoted).filter { !$0.hasPrefix("scripts/") && $0 != "Fuzz/" }
        #expect(names.count > 40)
        let tests = try TestNames()
        for name in names { #expect(tests.hold(name), "\(name)") }
    }

    @Test("every way in which a vault can fail has a test that is there")
    func failures() throws {
        let rows = try Repository.rows(of: "docs/vault-failures.md").dropFirst(2)
        #expect(rows.count >= 7)
        let tests = try TestNames()
        for row in rows {
            let cells = row.dropFirst(2).filter { $0 != " " && !$0.isEmpty }
            #expect(cells.count == 4, "\(row)")
            for cell in cells {
                let names = Self.quoted(cell).filter { $0.contains("/") || $0.hasSuffix("Tests") }
                #expect(!names.isEmpty, "\(cell)")
                for name in names { #expect(tests.hold(name), "\(name)") }
            }
        }
    }

    /// What stands between backquotes: every second piece.
    private static func quoted(_ cell: Substring) -> [String] {
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
    }
}

/// The tests that there are, by their names.
private struct TestNames {
    private let sources: [String]

    init() throws {
        sources = try FileManager.default.subpathsOfDirectory(atPath: Repository.path + "/Tests")
            .filter { $0.hasSuffix(".swift") }.map { try Repository.text(of: "Tests/" + $0) }
    }

    /// Whether there is a test called `Suite/test`, `test` or `SuiteTests`.
    func hold(_ name: String) -> Bool {
        let parts = name.split(separator: "/").map(String.init)
        guard parts.count == 2 || name.hasSuffix("Tests") else {
            return sources.contains { $0.contains("func \(name)(") }
        }
        return sources.contains { source in
            source.contains("struct \(parts[0]) {") && (parts.count == 1 || source.contains("func \(parts[1])("))
        }
    }
}

/// Files of the project.
private enum Repository {
    static let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// The cells of each row of a page's tables.
    static func rows(of file: String) throws -> [[Substring]] {
        try text(of: file).split(separator: "\n").filter { $0.hasPrefix("| ") }
            .map { $0.split(separator: "|", omittingEmptySubsequences: false) }
    }

    static func text(of file: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: path + "/" + file) else {
            throw TestFailure("there is no \(file)")
        }
        return String(decoding: data, as: UTF8.self)
    }
}

/// The source of a manual page, taken apart as far as the tests need it.
private struct ManualPage {
    /// The entries of the section COMMANDS: what stands at the head of each, and the words in all of it.
    private var entries: [(head: String, words: Set<String>)] = []
    /// The words of the parts about the options of all and of many commands.
    private(set) var sharedWords: Set<String> = []

    init(_ source: String) {
        var (section, part) = ("", "")
        var isHead = false
        for line in source.split(separator: "\n").map(Self.plain) {
            if line.hasPrefix(".SH ") {
                (section, part) = (String(line.dropFirst(4)), "")
            } else if line.hasPrefix(".SS ") {
                part = String(line.dropFirst(4))
            } else if part == "Global options" || part == "Options of many commands" {
                sharedWords.formUnion(Self.words(of: line))
            } else if section == "COMMANDS" {
                if isHead, line.contains("keyover ") {
                    entries.append((line + " ", Set(Self.words(of: line))))
                } else if !entries.isEmpty {
                    entries[entries.count - 1].words.formUnion(Self.words(of: line))
                }
            }
            isHead = line == ".TP"
        }
    }

    /// The words in all entries about a command; `nil` when there is none.
    func words(at path: String) -> Set<String>? {
        let found = entries.filter { $0.head.contains(path + " ") }
        return found.isEmpty ? nil : found.reduce(into: []) { $0.formUnion($1.words) }
    }

    /// A line without quotes and escapes.
    private static func plain(_ line: Substring) -> String {
        ["\\fI", "\\fB", "\\fR", "\""].reduce(String(line).replacing("\\-", with: "-")) { $0.replacing($1, with: "") }
    }

    private static func words(of line: String) -> [String] {
        line.split { !$0.isLetter && !$0.isNumber && $0 != "-" }.map(String.init)
    }
}

/// Finds calls of the program in the code of a page.
private enum ShellLines {
    /// The lines of commands and units; those that end with a backslash are joined to the next one.
    static func inCode(of page: String) -> [String] {
        var lines: [String] = []
        var fence: Substring?
        var isContinued = false
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                fence = fence == nil ? line : nil
                isContinued = false
            } else if fence == "```sh" || fence == "```ini" {
                let text = line.hasSuffix("\\") ? String(line.dropLast()) : String(line)
                if isContinued, let last = lines.popLast() {
                    lines.append(last + " " + text)
                } else {
                    lines.append(text)
                }
                isContinued = line.hasSuffix("\\")
            }
        }
        return lines
    }

    /// The words behind each `keyover` that stands where a shell, or a unit's `ExecStart=`, looks for a program.
    static func calls(in line: String) -> [[String]] {
        var calls: [[String]] = []
        var (isStart, isCall) = (true, false)
        for token in tokens(of: line) {
            switch token {
            case .separator:
                (isStart, isCall) = (true, false)
            case .word(let word):
                if isCall {
                    calls[calls.count - 1].append(word)
                } else if isStart, word == "keyover" || word.hasSuffix("/keyover") {
                    calls.append([])
                    isCall = true
                } else if word != "$", word != "sudo", !word.contains("=") {
                    isStart = false
                }
            }
        }
        return calls
    }

    private enum Token {
        case word(String)
        case separator
    }

    /// Words and what separates commands; quotes hold words together, and a remark ends the line.
    private static func tokens(of line: String) -> [Token] {
        var tokens: [Token] = []
        var (word, quote): (String, Character?) = ("", nil)
        func end() {
            if !word.isEmpty { tokens.append(.word(word)) }
            word = ""
        }
        for character in line {
            if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == " " {
                end()
            } else if character == "#", word.isEmpty {
                break
            } else if "|&;()<>`".contains(character) {
                end()
                tokens.append(.separator)
            } else {
                word.append(character)
            }
        }
        end()
        return tokens
    }
}

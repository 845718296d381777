import FoundationEssentials
import Testing

/// A text file that says what is typed and what has to come back.
///
///     # A remark.
///     $ keyover get nobody
///     ! error: there is no client named nobody
///     ! hint: run keyover client list
///     [exit 3]
///
/// Lines with `$` go to a shell in an otherwise empty home. What follows is standard output, with `! ` before it standard
/// error; an exit code that is not 0 stands at the end. `...` stands for any lines. `{word}` stands for any text, is kept
/// under that word, and stands for the same text from then on, in commands too; `{}` is not kept.
struct Transcript: CustomTestStringConvertible, Sendable {
    /// One command with what it has to say.
    struct Step: Sendable {
        var command: String
        var output: [String] = []
        var errors: [String] = []
        var exitCode: Int32 = 0
        var line: Int
    }

    let testDescription: String
    let path: String
    private(set) var steps: [Step] = []

    /// All transcripts.
    static let all: [Transcript] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Transcripts")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".txt") }.sorted().map { Transcript(path: folder.appending(path: $0).path) }
    }()

    private init(path: String) {
        self.path = path
        testDescription = path.split(separator: "/").last.map(String.init) ?? path
        let text = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("$ ") {
                steps.append(Step(command: String(line.dropFirst(2)), line: index + 1))
            } else if line.hasPrefix("#") || steps.isEmpty {
                continue
            } else if line.hasPrefix("! ") || line == "!" {
                steps[steps.count - 1].errors.append(String(line.dropFirst(2)))
            } else if line.hasPrefix("[exit "), let code = Int32(line.dropFirst(6).dropLast()) {
                steps[steps.count - 1].exitCode = code
            } else {
                steps[steps.count - 1].output.append(String(line))
            }
        }
        for index in steps.indices {
            // Empty lines between two steps are for the eye.
            while steps[index].output.last == "" { steps[index].output.removeLast() }
        }
    }
}

/// Texts that were found where a transcript has a placeholder.
struct Findings {
    private var found: [String: String]

    init(_ found: [String: String]) {
        self.found = found
    }

    /// The text with what is known put in.
    func filled(_ text: String) -> String {
        found.reduce(text) { $0.replacing("{\($1.key)}", with: $1.value) }
    }

    /// Whether the lines are as expected; what is found for the first time is kept.
    mutating func accept(_ lines: [String], as expected: [String]) -> Bool {
        guard let first = expected.first else { return lines.isEmpty }
        let rest = Array(expected.dropFirst())
        if first == "..." {
            for skipped in 0...lines.count {
                var attempt = self
                if attempt.accept(Array(lines.dropFirst(skipped)), as: rest) {
                    self = attempt
                    return true
                }
            }
            return false
        }
        guard let line = lines.first, accept(line[...], as: filled(first)[...]) else { return false }
        return accept(Array(lines.dropFirst()), as: rest)
    }

    private mutating func accept(_ text: Substring, as pattern: Substring) -> Bool {
        guard let placeholder = pattern.firstMatch(of: /\{([A-Za-z]*)\}/) else { return text == pattern }
        let before = pattern[..<placeholder.range.lowerBound]
        let after = String(pattern[placeholder.range.upperBound...])
        guard text.hasPrefix(before) else { return false }
        let rest = text.dropFirst(before.count)
        for length in stride(from: 1, through: rest.count, by: 1) {
            var attempt = self
            if !placeholder.1.isEmpty { attempt.found[String(placeholder.1)] = String(rest.prefix(length)) }
            if attempt.accept(rest.dropFirst(length), as: Substring(attempt.filled(after))) {
                self = attempt
                return true
            }
        }
        return false
    }
}

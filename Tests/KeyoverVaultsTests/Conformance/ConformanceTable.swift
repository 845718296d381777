import KeyoverVaults
import Synchronization
import Testing

/// What came of every promise on every backend, printed at the end as one table of at most 100 columns.
final class ConformanceTable: Sendable {
    enum Outcome: Sendable {
        case kept
        case broken
        case notApplicable(String)
    }

    /// Prints the table when the suite is over.
    struct Printed: SuiteTrait, TestScoping {
        func provideScope(
            for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
        ) async throws {
            let outcome = await Result.of(function)
            if !ConformanceTable.shared.isEmpty { print(ConformanceTable.shared.text) }
            try outcome.get()
        }
    }

    private struct Content {
        var promises: [String] = []
        var backends: [String] = []
        var outcomes: [String: [String: Outcome]] = [:]
        var times: [String: Duration] = [:]
    }

    static let printed = Printed()
    static let shared = ConformanceTable()
    private static let nameWidth = 54

    private let content = Mutex(Content())

    var isEmpty: Bool { content.withLock { $0.promises.isEmpty } }

    func note(_ promise: String, _ backend: String, _ outcome: Outcome, after time: Duration) {
        content.withLock { content in
            if !content.promises.contains(promise) { content.promises.append(promise) }
            if !content.backends.contains(backend) { content.backends.append(backend) }
            content.outcomes[promise, default: [:]][backend] = outcome
            content.times[backend, default: .zero] += time
        }
    }

    /// The table, then why what is not applicable is so.
    var text: String {
        var content = content.withLock { $0 }
        let order = VaultRegistry.backends.map { $0.scheme }
        content.backends.sort { order.firstIndex(of: $0) ?? order.count < order.firstIndex(of: $1) ?? order.count }
        var (reasons, lines): ([String], [String]) = ([], [])
        let widths = content.backends.map { max(6, $0.count) }
        func row(_ name: String, _ cells: [String]) -> String {
            zip(cells, widths).reduce(name.padded(Self.nameWidth)) { $0 + "  " + $1.0.padded($1.1) }
        }
        lines.append(row("promise", content.backends))
        for promise in content.promises {
            let cells = content.backends.map { backend in
                switch content.outcomes[promise]?[backend] {
                case .kept: return "ok"
                case .broken: return "FAILED"
                case .notApplicable(let reason):
                    if !reasons.contains(reason) { reasons.append(reason) }
                    return "n/a \((reasons.firstIndex(of: reason) ?? 0) + 1)"
                case nil: return "-"
                }
            }
            let pieces = promise.wrapped(at: Self.nameWidth)
            lines.append(row(pieces[0], cells))
            lines += pieces.dropFirst().map { "  " + $0 }
        }
        lines.append(
            row("seconds", content.backends.map { String((content.times[$0] ?? .zero).components.seconds) }))
        lines += reasons.enumerated().map { "n/a \($0.offset + 1): \($0.element)" }
        return (["", "Conformance of vaults"] + lines.map(\.trimmed) + [""]).joined(separator: "\n")
    }
}

extension String {
    fileprivate func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

    fileprivate var trimmed: String { String(reversed().drop { $0 == " " }.reversed()) }

    /// The words in lines of at most so many columns, the later ones two shorter.
    fileprivate func wrapped(at width: Int) -> [String] {
        var lines = [""]
        for word in split(separator: " ") {
            let (last, limit) = (lines[lines.count - 1], lines.count == 1 ? width : width - 2)
            if last.isEmpty {
                lines[lines.count - 1] = String(word)
            } else if last.count + 1 + word.count <= limit {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}

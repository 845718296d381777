import KeyoverVaults
import Synchronization

/// Shows how a migration goes on: a bar on a terminal, a line now and then elsewhere.
final class MigrationDisplay: Sendable {
    private static let columns = 24
    private static let linesEvery = 100

    private let terminal: Terminal
    private let waitedFor = Mutex("")

    init(_ terminal: Terminal) {
        self.terminal = terminal
    }

    /// Takes what the migration tells.
    func hear(_ progress: MigrationProgress) {
        guard !terminal.isQuiet else { return }
        if progress.step == .waiting {
            let isNews = waitedFor.withLock { names in
                defer { names = progress.name }
                return names != progress.name
            }
            if isNews { terminal.note("waiting for the rotation of \(progress.name)") }
        } else if terminal.errors.isTerminal {
            terminal.showLive(bar(progress))
        } else if progress.done.isMultiple(of: Self.linesEvery) {
            terminal.note("\(progress.step.rawValue): \(progress.kind) \(progress.done + 1) of \(progress.total)")
        }
    }

    /// Takes the bar off the screen.
    func end() { terminal.clearLive() }

    private func bar(_ progress: MigrationProgress) -> String {
        let filled = Self.columns * (progress.done + 1) / max(1, progress.total)
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: Self.columns - filled)
        return "\(progress.step.rawValue)  [\(bar)]  \(progress.kind) \(progress.done + 1) of \(progress.total)  "
            + Styled.dim(progress.name.printable, on: terminal.errors)
    }
}

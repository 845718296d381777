import KeyoverCore
import KeyoverEngine
import Synchronization

/// Shows traffic and rotation side by side: one live line on a terminal, a line a stage elsewhere.
final class DemoDisplay: Sendable {
    private let terminal: Terminal
    private let counters: DemoCounters
    private let timeline: DemoTimeline
    private let target: Int
    private let detail = Mutex("")

    init(_ terminal: Terminal, _ counters: DemoCounters, _ timeline: DemoTimeline, target: Int) {
        self.terminal = terminal
        self.counters = counters
        self.timeline = timeline
        self.target = target
    }

    /// Takes what the engine tells.
    func hear(_ progress: RotationProgress) {
        switch progress {
        case .stage(let stage, _):
            detail.withLock { $0 = "" }
            say(stage)
        case .exchanges(let done, let demanded, _): detail.withLock { $0 = "\(done)/\(demanded)" }
        case .waiting(let waiting, _): detail.withLock { $0 = waiting.message }
        case .waitingForClaim: break
        }
    }

    /// Keeps the live line fresh until it is cancelled.
    func run() async {
        guard !terminal.isQuiet else { return }
        while !Task.isCancelled {
            if terminal.errors.isTerminal { terminal.showLive(line(timeline.stage)) }
            try? await Task.sleep(for: .milliseconds(100))
        }
        terminal.clearLive()
    }

    /// A line that stays, for each stage.
    private func say(_ stage: Stage) {
        terminal.note(
            "\(seconds(timeline.elapsed).leftPadded(to: 6))  \(stage.rawValue.padded(to: 13)) "
                + "\(counters.requests) requests, \(counters.failures) failures")
    }

    private func line(_ stage: Stage?) -> String {
        let stream = terminal.errors
        let share = min(1, Double(counters.requests) / Double(max(1, target)))
        let filled = Int(share * 20)
        let bar =
            String(repeating: "█", count: filled) + Styled.dim(String(repeating: "░", count: 20 - filled), on: stream)
        let failures = counters.failures
        let failed = (failures == 0 ? Styled.green : .red)("\(failures) failures", on: stream)
        let words = detail.withLock { $0 }
        return "\(seconds(timeline.elapsed).leftPadded(to: 6))  "
            + "\(Styled.bold((stage?.rawValue ?? "traffic").padded(to: 13), on: stream)) \(bar) "
            + "\(counters.requests) requests, \(failed)  \(Styled.dim(words.printable, on: stream))"
    }

    private func seconds(_ duration: Duration) -> String { "\(duration.tenths)s" }
}

extension Duration {
    /// Seconds with one decimal, such as `12.3`.
    var tenths: String {
        let tenths = components.seconds * 10 + components.attoseconds / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }
}

extension String {
    /// The text with spaces before it up to a width.
    func leftPadded(to columns: Int) -> String { String(repeating: " ", count: max(0, columns - count)) + self }
}

import KeyoverCore
import KeyoverEngine
import Synchronization

/// Shows how a rotation goes on: one line that is rewritten on a terminal, plain lines elsewhere.
final class ProgressDisplay: Sendable {
    private struct State {
        var stage: Stage?
        var detail = ""
        let began = ContinuousClock.now
    }

    private let terminal: Terminal
    private let states = Mutex<[ClientName: State]>([:])
    private let ticker = Mutex<Task<Void, Never>?>(nil)

    init(_ terminal: Terminal) {
        self.terminal = terminal
    }

    /// Says where a rotation stands before it goes on.
    func begin(_ client: ClientName, in stage: Stage) {
        guard !terminal.isQuiet else { return }
        change(client) { $0.stage = stage }
    }

    /// Takes what the engine tells.
    func hear(_ progress: RotationProgress) {
        guard !terminal.isQuiet else { return }
        switch progress {
        case .stage(let stage, let client):
            change(client) { state in
                state.stage = stage
                state.detail = ""
            }
            say("\(client): \(stage.rawValue)")
        case .exchanges(let done, let demanded, let client):
            change(client) { $0.detail = "exchange \(done) of \(demanded)" }
            terminal.detail("\(client): exchange \(done) of \(demanded)")
        case .waiting(let waiting, let client):
            change(client) { $0.detail = waiting.message.printable }
            say("\(client): waiting: \(waiting.message.printable)")
        case .waitingForClaim(let span, let client):
            change(client) { $0.detail = "another runner's claim runs out in \(span.rounded)" }
            terminal.detail("\(client): another runner's claim runs out in \(span.rounded)")
        }
    }

    /// Takes the live line off the screen.
    func end() {
        ticker.withLock { task in
            task?.cancel()
            task = nil
        }
        states.withLock { $0 = [:] }
        terminal.clearLive()
    }

    private func say(_ line: String) {
        guard !terminal.errors.isTerminal || terminal.isVerbose else { return }
        terminal.note(line)
    }

    private func change(_ client: ClientName, _ body: (inout State) -> Void) {
        states.withLock { states in
            var state = states[client] ?? State()
            body(&state)
            states[client] = state
        }
        guard terminal.errors.isTerminal else { return }
        draw()
        ticker.withLock { task in
            guard task == nil else { return }
            task = Task { [weak self] in
                while !Task.isCancelled, (try? await Task.sleep(for: .milliseconds(250))) != nil { self?.draw() }
            }
        }
    }

    private func draw() {
        let line = states.withLock { states -> String? in
            guard let (client, state) = states.max(by: { $0.value.began < $1.value.began }) else { return nil }
            let seconds = state.began.duration(to: .now).components.seconds
            let stage = state.stage.map { Styled.bold($0.rawValue, on: terminal.errors) } ?? "starting"
            let elapsed = Styled.dim(TimeSpan.seconds(seconds).rounded, on: terminal.errors)
            return ["\(client)", stage, state.detail, elapsed].filter { !$0.isEmpty }.joined(separator: "  ")
        }
        if let line { terminal.showLive(line) }
    }
}

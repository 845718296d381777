import KeyoverCore
import KeyoverEngine

/// How one call that drove a rotation ended: what to print and which exit code it is.
struct RotationReport: Encodable {
    let client: ClientName
    let outcome: String
    let stage: String
    let generation: UInt64?
    let exitCode: Int32
    let waitingFor: String?
    let until: Timestamp?
    let next: String?
    let instructions: [String]?
    let error: Failure?

    /// An error as JSON shows it.
    struct Failure: Encodable {
        let message: String
        let hint: String?
    }

    var status: ExitStatus { ExitStatus(rawValue: exitCode) ?? .failed }

    /// What the engine answered; `succeeds` says which ends the command was asked for.
    init(
        _ result: RotationEngine.Result, at now: ClockReading, instructions: [String],
        succeedsBy isWanted: (RotationMachine.Outcome) -> Bool
    ) {
        let record = result.record
        let step = NextStep(record, at: now)
        client = record.name
        generation = record.generation
        error = nil
        switch result {
        case .finished(let outcome, _):
            self.outcome = outcome.rawValue
            switch outcome {
            case .needsAttention: exitCode = ExitStatus.needsAttention.rawValue
            case .completed, .rolledBack, .settled, .reachedStage:
                exitCode = (isWanted(outcome) ? ExitStatus.done : .failed).rawValue
            }
        case .waiting:
            outcome = "waiting"
            exitCode = ExitStatus.waiting.rawValue
        }
        stage = record.rotation?.stage.rawValue ?? record.lastRotation?.outcome.rawValue ?? "idle"
        waitingFor = step.waitingFor
        until = step.until
        next = step.command
        self.instructions = instructions.isEmpty ? nil : instructions
    }

    /// A client that nothing is done for, because a person is needed first.
    init(untouched record: ClientRecord, at now: ClockReading) {
        self.init(.finished(.needsAttention, record), at: now, instructions: [], succeedsBy: { _ in true })
    }

    /// What a recovery came to.
    init(_ recovery: RotationEngine.Recovery, at now: ClockReading, instructions: [String]) {
        switch recovery {
        case .notNeeded(let record):
            self.init(outcome: .notNeeded, record, at: now)
        case .verified(_, let record):
            self.init(outcome: .recovered, record, at: now)
        case .waiting(let waiting, let record):
            self.init(outcome: .waiting, record, at: now, waiting)
        case .replacing(let result):
            // Rolled back, the client is as it came out of the backup.
            self.init(result, at: now, instructions: instructions, succeedsBy: { $0 != .rolledBack })
        }
    }

    private init(outcome: Ending, _ record: ClientRecord, at now: ClockReading, _ waiting: Waiting? = nil) {
        let step = NextStep(record, at: now)
        client = record.name
        self.outcome = outcome.rawValue
        stage = record.rotation?.stage.rawValue ?? "idle"
        generation = record.generation
        exitCode = (waiting == nil ? ExitStatus.done : .waiting).rawValue
        waitingFor = waiting?.message ?? step.waitingFor
        until = waiting?.until ?? step.until
        next = step.command
        instructions = nil
        error = nil
    }

    /// How a recovery without a rotation of its own ends.
    private enum Ending: String {
        case recovered, notNeeded, waiting
    }

    /// An error that ended the call.
    init(_ error: any Error, client: ClientName) {
        let report = ErrorReport(error)
        self.client = client
        outcome = report.status == .busy ? "busy" : "failed"
        stage = "unknown"
        generation = nil
        exitCode = report.status.rawValue
        waitingFor = nil
        until = nil
        next = nil
        instructions = nil
        self.error = Failure(message: report.message ?? "", hint: report.hint)
    }

    /// Writes it for people.
    func show(on terminal: Terminal) {
        let stream = terminal.output
        if error != nil { return }
        switch outcome {
        case RotationMachine.Outcome.completed.rawValue:
            let words = "the old secret is gone and proven dead"
            terminal.print(
                "\(client): \(Styled.green("completed", on: stream)), generation \(generation ?? 0); \(words)")
        case RotationMachine.Outcome.rolledBack.rawValue:
            let style: Styled = status == .done ? .green : .yellow
            let why = status == .done ? "" : "; keyover log \(client) --since 1h says why"
            terminal.print("\(client): \(style("rolled back", on: stream)), all is as before\(why)")
        case RotationMachine.Outcome.settled.rawValue:
            terminal.print("\(client): settled on the active secret, generation \(generation ?? 0)")
        case Ending.recovered.rawValue:
            let words = "the secret that readers are given works, generation \(generation ?? 0)"
            terminal.print("\(client): \(Styled.green("recovered", on: stream)); \(words)")
        case Ending.notNeeded.rawValue:
            terminal.print("\(client): nothing to recover, generation \(generation ?? 0)")
        case RotationMachine.Outcome.reachedStage.rawValue:
            terminal.print("\(client): stopped after \(stage) as asked")
        case RotationMachine.Outcome.needsAttention.rawValue:
            terminal.print("\(client): \(Styled.red("needs attention", on: stream)): \(waitingFor?.printable ?? "")")
        default:
            let when = until.map { ", until \($0.description)" } ?? ""
            terminal.print(
                "\(client): \(Styled.yellow("waiting", on: stream)) in \(stage): \(waitingFor?.printable ?? "")\(when)"
            )
        }
        for line in instructions ?? [] { terminal.print("  " + line.printable) }
        if let next { terminal.print("  next: \(Styled.bold(next, on: stream))") }
    }
}

import KeyoverCore
import KeyoverTesting

/// What many seeds amount to.
struct Tally: Sendable {
    private(set) var seeds = 0
    private(set) var events = 0
    private(set) var outcomes: [String: Int] = [:]
    private(set) var coverage = Coverage()
    private(set) var violations: [Violation] = []

    mutating func add(_ report: SimulationReport) {
        seeds += 1
        events += report.events
        outcomes[report.outcome?.rawValue ?? "none", default: 0] += 1
        coverage.merge(report.coverage)
        if let violation = report.violation { violations.append(violation) }
    }

    mutating func merge(_ other: Tally) {
        seeds += other.seeds
        events += other.events
        outcomes.merge(other.outcomes, uniquingKeysWith: +)
        coverage.merge(other.coverage)
        violations = (violations + other.violations).sorted { $0.seed < $1.seed }
    }

    /// The seeds that the reachable cells of the coverage table are demanded of.
    static let seedsForCoverage = 20_000

    /// Cells that so many seeds should have reached and did not; fewer seeds owe nothing.
    var unreached: [Coverage.Cell] {
        seeds < Self.seedsForCoverage ? [] : Strategies.all.flatMap { coverage.missing($0) }
    }

    var isGood: Bool { violations.isEmpty && unreached.isEmpty }

    func print(took: Duration, showsCoverage: Bool) {
        if showsCoverage {
            for strategy in Strategies.all { Swift.print(coverage.table(for: strategy.name), terminator: "\n\n") }
        }
        for cell in unreached {
            Swift.print("never reached: \(cell.strategy), \(cell.stage?.rawValue ?? "idle"), \(cell.fault.rawValue)")
        }
        for violation in violations.prefix(20) { Swift.print(violation) }
        let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
        let rate = Int(Double(seeds) / max(seconds, 0.001))
        Swift.print(
            "\(seeds) seeds, \(events) events, \(violations.count) violations; \(Int(seconds)) s, \(rate) seeds a second"
        )
    }
}

import FoundationEssentials
import Glibc
import Testing

/// The real program, killed at every call that changes a file, and with every such call failing.
///
/// Afterwards the vault opens, is sound and is in the old state or the new one; the same command, run again, gets done;
/// and nothing is left lying about.
@Suite("Faults", .serialized)
struct FaultTests {
    @Test("killed at every call", arguments: FaultOperation.chosen)
    func killed(operation: FaultOperation) async throws {
        try await examine(operation) { calls in
            // How often SQLite writes is not the same each time, so some more are tried than were counted.
            (1...calls.count + 8).map { (.kill, $0) }
                + calls.indices.filter { calls[$0].writes }.map { (.torn, $0 + 1) }
        }
    }

    @Test("a full or broken disk", arguments: FaultOperation.chosen)
    func failing(operation: FaultOperation) async throws {
        // Another third every day; FAULT_DAY goes back to a day.
        let day = ProcessInfo.processInfo.environment["FAULT_DAY"].flatMap { Int($0) } ?? time(nil) / 86_400
        print("\(operation.testDescription): as on FAULT_DAY=\(day)")
        try await examine(operation) { calls in
            FaultPlan.Kind.allCases.filter { !$0.isKilling }.enumerated().flatMap { index, kind in
                stride(from: (day + index) % 3 + 1, through: calls.count, by: 3).map { (kind, $0) }
            }
        }
    }

    /// Tries the faults that the body chooses, two at a time.
    private func examine(
        _ operation: FaultOperation, _ choose: @Sendable ([FaultPlan.Call]) -> [(FaultPlan.Kind, Int)]
    ) async throws {
        let lanes = 2
        let benches = [try await FaultBench(operation), try await FaultBench(operation)]
        let faults = choose(benches[0].calls)
        #expect(faults.count > 20, "\(operation.testDescription) makes \(benches[0].calls.count) calls")
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for (lane, bench) in benches.enumerated() {
                group.addTask {
                    var count = 0
                    for (kind, number) in stride(from: lane, to: faults.count, by: lanes).map({ faults[$0] }) {
                        count += try await bench.examine(kind, at: number) ? 1 : 0
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        print(
            "\(operation.testDescription): \(benches[0].calls.count) calls, \(count) of \(faults.count) faults struck")
        #expect(count * 10 >= faults.count * 7)
    }
}

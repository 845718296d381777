import Glibc
import KeyoverCore
import KeyoverTesting

let arguments = Arguments(CommandLine.arguments.dropFirst())
if let seed = arguments.seed {
    exit(replay(seed, isTracing: arguments.isTracing))
}
exit(await sweep(arguments))

/// Lives one seed through and shows how it went.
func replay(_ seed: UInt64, isTracing: Bool) -> Int32 {
    let report = Simulation.run(seed: seed, tracing: isTracing)
    for line in report.trace { print(line) }
    print("seed \(seed): \(report.events) events, \(report.virtualTime) virtual ms, \(report.rotations) rotations")
    guard let violation = report.violation else { return 0 }
    print(violation)
    return 1
}

/// Lives many seeds through, several at a time, and shows what was covered.
func sweep(_ arguments: Arguments) async -> Int32 {
    let clock = ContinuousClock()
    let began = clock.now
    let seeds = arguments.from..<arguments.from + arguments.count
    var tally = Tally()
    await withTaskGroup(of: Tally.self) { group in
        for lane in 0..<arguments.jobs {
            group.addTask {
                var tally = Tally()
                for seed in seeds where Int(seed % UInt64(arguments.jobs)) == lane {
                    tally.add(Simulation.run(seed: seed))
                    if arguments.stopsAtFirst, !tally.violations.isEmpty { break }
                }
                return tally
            }
        }
        for await part in group { tally.merge(part) }
    }
    tally.print(took: clock.now - began, showsCoverage: arguments.showsCoverage)
    return tally.isGood ? 0 : 1
}

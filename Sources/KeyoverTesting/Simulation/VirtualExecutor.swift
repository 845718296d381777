/// Collects the jobs of the simulation's tasks, so that the simulation decides when each of them runs (SE-0417).
///
/// All tasks of one simulation prefer this executor and suspend only in the simulation's own timers, so that every job
/// is enqueued and run on the one thread that drives the simulation.
final class VirtualExecutor: TaskExecutor, @unchecked Sendable {
    // Touched only by the thread that drives the simulation.
    private var ready: [UnownedJob] = []

    /// How many jobs could run now.
    var readyCount: Int { ready.count }

    func enqueue(_ job: consuming ExecutorJob) {
        ready.append(UnownedJob(job))
    }

    /// Runs one of the ready jobs until it suspends or ends.
    func run(at index: Int) {
        ready.remove(at: index).runSynchronously(on: asUnownedTaskExecutor())
    }
}

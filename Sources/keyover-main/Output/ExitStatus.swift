/// How the process ends, as the README lists it; there are no other codes.
enum ExitStatus: Int32, Comparable {
    /// Done.
    case done = 0
    /// Failed, nothing lost.
    case failed = 1
    /// The command line makes no sense.
    case usage = 2
    /// There is no such client.
    case noSuchClient = 3
    /// Findings at or above `--fail-on`.
    case findings = 4
    /// The vault is locked, unavailable or not trusted.
    case vault = 5
    /// Another change is in progress.
    case busy = 6
    /// A person is needed.
    case needsAttention = 7
    /// The rotation goes on later.
    case waiting = 8

    /// Which of two results is worse news, for commands about several clients.
    ///
    /// Waiting is the way of things; somebody needed is worse than a failure that can be tried again.
    private var weight: Int {
        switch self {
        case .done: 0
        case .waiting: 1
        case .busy: 2
        case .findings: 3
        case .noSuchClient: 4
        case .failed: 5
        case .usage: 6
        case .needsAttention: 7
        case .vault: 8
        }
    }

    static func < (left: Self, right: Self) -> Bool { left.weight < right.weight }
}

/// Thrown by a command that has said everything already.
struct Finished: Error {
    let status: ExitStatus
}

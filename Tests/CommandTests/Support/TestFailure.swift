import Glibc
import Synchronization

/// Something that a test needs is not there.
struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    /// The error of the system call that failed last.
    static func last(_ what: String) -> Self { Self("\(what): \(String(cString: strerror(errno)))") }
}

/// A fact that does not go away once it is there.
final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }

    func set() { value.store(true, ordering: .releasing) }
}

/// Returns once the condition holds; what does not come about in time is an error.
///
/// The world that is watched here is made of processes and files, which tell nobody when they change.
func eventually(
    _ what: String, within limit: Duration = .seconds(60), every pause: Duration = .milliseconds(2),
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw TestFailure("\(what) did not come about within \(limit)") }
        try await Task.sleep(for: pause)
    }
}

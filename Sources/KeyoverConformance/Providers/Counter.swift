import Synchronization

/// Counts calls from anywhere.
final class Counter: Sendable {
    private let count = Atomic(0)

    /// The number of the call, beginning with 1.
    func next() -> Int { count.add(1, ordering: .relaxed).newValue }

    /// How many calls there were.
    var current: Int { count.load(ordering: .relaxed) }
}

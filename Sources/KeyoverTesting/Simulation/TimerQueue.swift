/// What is to happen at which virtual moment: a binary heap whose order is total, so that equal moments are repeatable.
struct TimerQueue {
    private struct Timer {
        let at: Int64
        let order: UInt64
        let action: () -> Void

        func precedes(_ other: Timer) -> Bool { at == other.at ? order < other.order : at < other.at }
    }

    private var heap: [Timer] = []

    /// When the next action is due.
    var next: Int64? { heap.first?.at }

    /// Adds an action; `order` decides between actions of the same moment.
    mutating func add(at moment: Int64, order: UInt64, _ action: @escaping () -> Void) {
        heap.append(Timer(at: moment, order: order, action: action))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].precedes(heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes the next action out.
    mutating func pop() -> (at: Int64, action: () -> Void)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return (first.at, first.action)
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].precedes(heap[least])
            {
                least = child
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}

import Glibc
import Synchronization

/// The one region of memory in which secret bytes live: locked against swapping and left out of core dumps.
///
/// `RLIMIT_MEMLOCK` is 8 MiB on common systems, so all values share one slab of 4 MiB, handed out in units of 32 bytes,
/// first fit. What does not fit gets a mapping of its own, locked when the limit allows it.
final class SecretSlab: Sendable {
    static let shared = SecretSlab(byteCount: 4 << 20)

    private static let unit = 32
    private struct Region: @unchecked Sendable {
        let base: UnsafeMutableRawPointer
        let byteCount: Int
    }

    private struct State {
        var free: [Range<Int>]
        /// How much of the region is kept out of swap so far, counted from its beginning.
        var lockedCount = 0
        var isLocked = true
    }

    // Locking touches every page, which for the whole region would cost each process more than a millisecond.
    private static let lockStep = 64 << 10

    private let region: Region?
    private let state: Mutex<State>

    init(byteCount: Int) {
        region = Self.map(byteCount).map { Region(base: $0, byteCount: byteCount) }
        state = Mutex(State(free: region == nil ? [] : [0..<byteCount / Self.unit]))
    }

    /// Whether the kernel agrees to keep secrets out of swap; false as soon as it refused once.
    var isLocked: Bool {
        state.withLock { state in
            lock(upTo: 1, &state)
            return state.isLocked
        }
    }

    /// Zeroed memory for so many bytes.
    func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let units = max(1, (byteCount + Self.unit - 1) / Self.unit)
        let start: Int? = state.withLock { state in
            guard let index = state.free.firstIndex(where: { $0.count >= units }) else { return nil }
            let range = state.free[index]
            if range.count == units {
                state.free.remove(at: index)
            } else {
                state.free[index] = range.lowerBound + units..<range.upperBound
            }
            lock(upTo: (range.lowerBound + units) * Self.unit, &state)
            return range.lowerBound
        }
        if let start, let region { return region.base + start * Self.unit }
        guard let own = Self.map(byteCount) else {
            // Out of address space: like any failed allocation this ends the process, before a secret is misplaced.
            preconditionFailure("no memory left for a secret of \(byteCount) bytes")
        }
        if mlock(own, byteCount) != 0 { state.withLock { $0.isLocked = false } }
        return own
    }

    private func lock(upTo end: Int, _ state: inout State) {
        guard let region else {
            state.isLocked = false
            return
        }
        guard end > state.lockedCount else { return }
        let next = min(region.byteCount, (end + Self.lockStep - 1) / Self.lockStep * Self.lockStep)
        if mlock(region.base + state.lockedCount, next - state.lockedCount) != 0 { state.isLocked = false }
        state.lockedCount = next
    }

    /// Zeroes the bytes and gives them back.
    func release(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {
        explicit_bzero(pointer, byteCount)
        guard let region, pointer >= region.base, pointer < region.base + region.byteCount else {
            munmap(pointer, max(1, byteCount))
            return
        }
        let start = (pointer - region.base) / Self.unit
        let units = max(1, (byteCount + Self.unit - 1) / Self.unit)
        state.withLock { state in Self.insert(start..<start + units, into: &state.free) }
    }

    private static func insert(_ range: Range<Int>, into ranges: inout [Range<Int>]) {
        let index = ranges.firstIndex { $0.lowerBound > range.lowerBound } ?? ranges.endIndex
        var merged = range
        var (lower, upper) = (index, index)
        if index > 0, ranges[index - 1].upperBound == range.lowerBound {
            merged = ranges[index - 1].lowerBound..<merged.upperBound
            lower = index - 1
        }
        if index < ranges.endIndex, ranges[index].lowerBound == range.upperBound {
            merged = merged.lowerBound..<ranges[index].upperBound
            upper = index + 1
        }
        ranges.replaceSubrange(lower..<upper, with: [merged])
    }

    private static func map(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        let pointer = mmap(nil, max(1, byteCount), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let pointer, pointer != MAP_FAILED else { return nil }
        madvise(pointer, byteCount, 16)  // MADV_DONTDUMP, which Glibc's module does not import
        return pointer
    }
}

import Glibc

/// Bytes that must not leak: held in locked memory, zeroed when the last copy goes, never shown.
///
/// A value has no description, no mirror, no encoding and no ordering. The only way to its bytes is
/// ``withUnsafeSecretBytes(_:)``; searching for that name finds every place that looks.
public struct SecretValue: Sendable {
    private final class Storage: @unchecked Sendable {
        // Written only inside `init`, so sharing between threads is safe.
        let base: UnsafeMutableRawPointer
        let count: Int

        init(count: Int) {
            base = SecretSlab.shared.allocate(count)
            self.count = count
        }

        deinit {
            SecretSlab.shared.release(base, count)
        }
    }

    private let storage: Storage

    /// A value of so many bytes, filled in place by the closure; memory arrives zeroed.
    public init(count: Int, filling body: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
        storage = Storage(count: count)
        try body(UnsafeMutableRawBufferPointer(start: storage.base, count: count))
    }

    /// A copy of the bytes; the caller's own copy is not zeroed.
    public init(copying bytes: some Collection<UInt8>) {
        self.init(count: bytes.count) { $0.copyBytes(from: bytes) }
    }

    /// Moves the bytes out of an array, zeroing the array's storage when it is not shared.
    public init(consuming bytes: inout [UInt8]) {
        self.init(copying: bytes)
        bytes.withUnsafeMutableBytes { buffer in
            if let base = buffer.baseAddress { explicit_bzero(base, buffer.count) }
        }
        bytes = []
    }

    /// The number of bytes.
    public var count: Int { storage.count }
    /// Whether there are no bytes at all.
    public var isEmpty: Bool { storage.count == 0 }

    /// Lends the bytes for the duration of the closure; a copy made inside is the caller's to erase.
    public func withUnsafeSecretBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: storage.base, count: storage.count))
    }

    /// Whether secret memory is kept out of swap; false when `RLIMIT_MEMLOCK` is too small.
    public static var memoryIsLocked: Bool { SecretSlab.shared.isLocked }
}

extension SecretValue: Equatable {
    /// Compares in a time that depends on the lengths only.
    public static func == (left: Self, right: Self) -> Bool {
        guard left.count == right.count else { return false }
        return left.withUnsafeSecretBytes { one in
            right.withUnsafeSecretBytes { other in
                var difference: UInt8 = 0
                for index in 0..<one.count { difference |= one[index] ^ other[index] }
                return difference == 0
            }
        }
    }
}

extension SecretValue: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Always the same word.
    public var description: String { "<redacted>" }
    /// Always the same word.
    public var debugDescription: String { "<redacted>" }
    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

import Crypto
import FoundationEssentials
public import KeyoverCore

/// Encrypts what is written to it, of any length, as a file in age's binary format; memory use does not grow with it.
public final class AgeWriter {
    private let key: SymmetricKey
    private let sink: (UnsafeRawBufferPointer) throws -> Void
    private let chunk: UnsafeMutableRawBufferPointer
    private var filled = 0
    private var index = 0

    /// Writes the header and begins the payload.
    ///
    /// - Parameter sink: Takes the file's bytes in order; what it throws comes out of the call that caused it.
    public init(to recipients: [any AgeRecipient], sink: @escaping (UnsafeRawBufferPointer) throws -> Void) throws {
        let (header, fileKey) = try AgeFile.header(for: recipients)
        let nonce = Primitives.randomBytes(AgePayload.nonceCount)
        key = AgePayload.payloadKey(fileKey, nonce)
        self.sink = sink
        chunk = .allocate(byteCount: AgePayload.chunkCount, alignment: 16)
        try (header.bytes + nonce).withUnsafeBytes(sink)
    }

    deinit {
        chunk.initializeMemory(as: UInt8.self, repeating: 0)
        chunk.deallocate()
    }

    /// Adds plaintext.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            // A full chunk waits until there is more, since the last one is sealed differently.
            if filled == chunk.count { try seal(isLast: false) }
            let count = min(rest.count, chunk.count - filled)
            UnsafeMutableRawBufferPointer(rebasing: chunk[filled..<filled + count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
            filled += count
            rest = rest.dropFirst(count)
        }
    }

    /// Seals the last chunk; without it the file counts as cut short.
    public func finish() throws {
        try seal(isLast: true)
    }

    private func seal(isLast: Bool) throws {
        let plaintext = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(chunk)[..<filled])
        try AgePayload.seal(plaintext, index, isLast: isLast, key).withUnsafeBytes(sink)
        index += 1
        filled = 0
    }
}

/// Decrypts a file in age's binary format chunk by chunk; memory use does not grow with the file.
///
/// Each chunk that comes out is authentic and in its place. That the file is whole is known only when ``next()`` has
/// answered `nil`: until then nothing may be done with the plaintext that cannot be undone.
public final class AgeReader {
    /// A header of the most recipients that a vault has is far below this.
    private static let headerLimit = 64 << 10

    private let key: SymmetricKey
    private let source: (UnsafeMutableRawBufferPointer) throws -> Int
    private var pending: [UInt8]
    private var index = 0
    private var isAtEnd = false

    /// Reads the header and opens it with the first identity that fits.
    ///
    /// - Parameter source: Fills the buffer as far as it can and answers how far; 0 at the end of the file.
    public init(
        for identities: [any AgeIdentity], source: @escaping (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws {
        self.source = source
        let beginning = try Self.read(source, Self.headerLimit)
        if AgeArmor.isArmored(beginning) {
            throw AgeError(.armor, "the file is armored; make it binary first with age's own program")
        }
        let (header, start) = try AgeHeader.parse(beginning)
        let fileKey = try AgeFile.fileKey(of: header, for: identities)
        guard beginning.count - start >= AgePayload.nonceCount else {
            throw AgeError(.header, "the payload's nonce is cut short")
        }
        key = AgePayload.payloadKey(fileKey, Array(beginning[start..<start + AgePayload.nonceCount]))
        pending = Array(beginning[(start + AgePayload.nonceCount)...])
    }

    /// The next chunk of plaintext, or `nil` when the last one has been given out and nothing follows it.
    public func next() throws -> SecretValue? {
        if isAtEnd { return nil }
        let whole = AgePayload.chunkCount + AgePayload.tagCount
        // One byte more tells whether this chunk is the last one.
        while pending.count <= whole {
            let more = try Self.read(source, whole + 1 - pending.count)
            if more.isEmpty { break }
            pending += more
        }
        let chunk = pending.prefix(whole)
        let isLast = pending.count <= whole
        guard chunk.count >= AgePayload.tagCount, index == 0 || chunk.count > AgePayload.tagCount else {
            throw AgeError(.payload, "the last chunk is empty or cut short")
        }
        do {
            var opened = try AgePayload.open(chunk, index, isLast: isLast, key)
            defer { Primitives.wipe(&opened) }
            index += 1
            pending.removeFirst(chunk.count)
            // Only an authentic last chunk is an end: asked again after a failure, the answer stays a failure.
            isAtEnd = isLast
            return SecretValue(copying: opened)
        } catch {
            throw AgeError(.payload, "the payload was changed or cut short")
        }
    }

    private static func read(
        _ source: (UnsafeMutableRawBufferPointer) throws -> Int, _ limit: Int
    ) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        var filled = 0
        while filled < limit {
            let count = try bytes.withUnsafeMutableBytes { try source(.init(rebasing: $0[filled...])) }
            guard count > 0 else { break }
            filled += count
        }
        bytes.removeLast(limit - filled)
        return bytes
    }
}

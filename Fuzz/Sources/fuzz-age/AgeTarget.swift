import FuzzSupport
import KeyoverCore

@testable import KeyoverSealing

// Files that somebody else may have written. The letter that an input begins with says what the rest is:
//   f  a file, as it is
//   h  the stanzas of a header, which is given its right MAC and a good payload: reaches what lies behind the MAC
//   p  how a payload is cut into chunks, each sealed as it should be
//   a  armor        b  base64        k  a recipient or an identity
private let target = FuzzTarget(seeds: AgeSeeds.all) { bytes in
    var input = FuzzInput(bytes)
    switch input.letter() {
    case "f": return openFile(Array(input.rest))
    case "h": return openHeader(Array(input.rest))
    case "p": return openPayload(&input)
    case "a": return readArmor(Array(input.rest))
    case "b": return readBase64(Array(input.rest))
    case "k": return readKey(String(decoding: input.rest, as: UTF8.self))
    default: return .refused
    }
}

/// The identity and the file key of all inputs, and the passphrase where it costs little.
enum AgeKeys {
    static let identity = must("read the identity") {
        try X25519Identity(
            SecretValue("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"))
    }
    static let passphrase = must("make the passphrase") { try ScryptPassphrase(SecretValue("fuzz"), workFactor: 1) }
    static let fileKey = SecretValue(copying: Array(UInt8(32)..<48))
}

/// The passphrase, but not where it would take long: work up to the limit is legitimate.
private struct CheapPassphrase: AgeIdentity {
    func unwrap(_ stanzas: [AgeStanza]) throws(AgeError) -> SecretValue? {
        let costs = stanzas.compactMap { $0.arguments.last.flatMap { Int($0) } }
        return costs.contains(where: (8...20).contains) ? nil : try AgeKeys.passphrase.unwrap(stanzas)
    }
}

/// Looks at the stanzas as the others do, and has the file key anyway.
private struct KnownFileKey: AgeIdentity {
    func unwrap(_ stanzas: [AgeStanza]) throws(AgeError) -> SecretValue? {
        _ = try AgeKeys.identity.unwrap(stanzas)
        _ = try CheapPassphrase().unwrap(stanzas)
        return AgeKeys.fileKey
    }
}

private func openFile(_ file: [UInt8]) -> FuzzTarget.Outcome {
    checkHeader(of: file)
    guard let plaintext = open(file, with: [AgeKeys.identity, CheapPassphrase()]) else { return .refused }
    require(plaintext == AgeSeeds.pattern(plaintext.count), "a plaintext was opened that nobody sealed")
    return .accepted
}

private func openHeader(_ stanzas: [UInt8]) -> FuzzTarget.Outcome {
    let file = AgeWorkshop.file(stanzas: stanzas, payload: AgeWorkshop.payload([.init(AgeSeeds.pattern(9), 0, true)]))
    checkHeader(of: file)
    guard let plaintext = open(file, with: [KnownFileKey()]) else { return .refused }
    require(plaintext == AgeSeeds.pattern(9), "a plaintext was opened that nobody sealed")
    return .accepted
}

private func openPayload(_ input: inout FuzzInput) -> FuzzTarget.Outcome {
    let sizes = [0, 1, 15, 16, 4096, 65_535, 65_536, 65_537]
    let count = Int(input.byte() % 4)
    let chunks = (0..<count).map { index in
        let size = sizes[Int(input.byte()) % sizes.count]
        let offset = input.byte()
        return AgeWorkshop.Chunk(
            [UInt8](repeating: UInt8(index), count: size), UInt64(index) &+ UInt64(offset), input.byte() % 2 == 1)
    }
    let file = AgeWorkshop.file(stanzas: AgeSeeds.grease, payload: AgeWorkshop.payload(chunks) + input.rest)
    let isRight =
        !chunks.isEmpty && input.rest.isEmpty && (chunks.count == 1 || chunks.last?.plaintext.isEmpty == false)
        && chunks.enumerated().allSatisfy { index, chunk in
            let isLast = index == count - 1
            return chunk.counter == UInt64(index) && chunk.isLast == isLast
                && (isLast ? chunk.plaintext.count <= 65_536 : chunk.plaintext.count == 65_536)
        }
    let plaintext = open(file, with: [KnownFileKey()])
    require((plaintext != nil) == isRight, "chunks are \(isRight ? "refused" : "accepted")")
    require(plaintext == nil || plaintext == Array(chunks.map(\.plaintext).joined()), "the plaintext is another")
    return isRight ? .accepted : .refused
}

private func readArmor(_ text: [UInt8]) -> FuzzTarget.Outcome {
    let file: [UInt8]
    do {
        file = try AgeArmor.decode(text)
    } catch {
        requireFit("\(error)")
        return .refused
    }
    let space = Set<UInt8>([9, 10, 11, 12, 13, 32])
    let trimmed = text.drop(while: space.contains).reversed().drop(while: space.contains).reversed()
    let lines = trimmed.split(separator: 10, omittingEmptySubsequences: false)
    let unix = lines.map { $0.last == 13 ? $0.dropLast() : $0 }.joined(separator: [10])
    require(AgeArmor.encode(file) == Array(unix) + [10], "armor has a second spelling")
    return .accepted
}

private func readBase64(_ text: [UInt8]) -> FuzzTarget.Outcome {
    var outcome = FuzzTarget.Outcome.refused
    for isPadded in [false, true] {
        guard let bytes = StrictBase64.decode(text, padded: isPadded) else { continue }
        require(StrictBase64.encode(bytes, padded: isPadded) == text, "base64 has a second spelling")
        outcome = .accepted
    }
    return outcome
}

private func readKey(_ text: String) -> FuzzTarget.Outcome {
    if let recipient = X25519Recipient(text) {
        require("\(recipient)" == text.lowercased(), "a recipient has a second spelling")
        return .accepted
    }
    do throws(AgeError) {
        let identity = try X25519Identity(SecretValue(text))
        require(identity.encoded == SecretValue(text), "an identity has a second spelling")
        return .accepted
    } catch {
        requireFit("\(error)")
        require(text.utf8.count < 8 || !"\(error)".contains(text), "an error repeats what may be an identity")
        return .refused
    }
}

private func open(_ file: [UInt8], with identities: [any AgeIdentity]) -> [UInt8]? {
    let streamed = stream(file, with: identities)
    do throws(AgeError) {
        let plaintext = try AgeFile.decrypt(file, with: identities).plain
        require(streamed == plaintext || AgeArmor.isArmored(file), "read chunk by chunk, the plaintext is another")
        return plaintext
    } catch {
        requireFit("\(error)")
        require(streamed == nil, "read chunk by chunk, a file opens that is refused as a whole")
        return nil
    }
}

/// The plaintext as it comes chunk by chunk, from a source that gives as little as it likes.
private func stream(_ file: [UInt8], with identities: [any AgeIdentity]) -> [UInt8]? {
    var rest = file[...]
    do {
        let reader = try AgeReader(for: identities) { buffer in
            let count = min(buffer.count, rest.count, 50_000)
            buffer.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
        var plaintext: [UInt8] = []
        while let chunk = try reader.next() { plaintext += chunk.plain }
        return plaintext
    } catch {
        requireFit("\(error)")
        return nil
    }
}

/// A header that is read, authentic or not, has exactly the spelling that it would be written in.
private func checkHeader(of file: [UInt8]) {
    guard let binary = AgeArmor.isArmored(file) ? try? AgeArmor.decode(file) : file,
        let (header, payload) = try? AgeHeader.parse(binary)
    else { return }
    let written = AgeHeader(header.stanzas, fileKey: AgeKeys.fileKey).bytes
    let macLine = 45
    require(written.dropLast(macLine) == binary[..<(payload - macLine)], "a header has a second spelling")
}

/// Called by libFuzzer once.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutableRawPointer?, _ arguments: UnsafeMutableRawPointer?) -> CInt {
    target.prepare()
}

/// Called by libFuzzer for every input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    target.run(start, count)
}

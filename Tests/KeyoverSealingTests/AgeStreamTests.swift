import Foundation
import KeyoverCore
import Testing

@testable import KeyoverSealing

/// What is encrypted piece by piece is what would be encrypted at once, and nothing else is taken for it.
@Suite struct AgeStreamTests {
    @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 131_072, 131_073, 300_000])
    func theStreamAndTheFileAreOneFormat(count: Int) throws {
        let identity = try X25519Identity.generate()
        let plaintext = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for portion in [7_919, 65_536, 1_000_000] {
            let file = try streamed(plaintext, to: identity.recipient, portion: portion)
            #expect(try AgeFile.decrypt(file, with: [identity]) == SecretValue(copying: plaintext))
            #expect(try read(file, with: identity, portion: portion) == plaintext)
        }
        let whole = try AgeFile.encrypt(SecretValue(copying: plaintext), to: [identity.recipient])
        #expect(try read(whole, with: identity, portion: 1_000) == plaintext)
    }

    @Test func aSourceThatGivesOneByteAtATimeIsPatientlyRead() throws {
        let identity = try X25519Identity.generate()
        let file = try streamed(Array("drop by drop".utf8), to: identity.recipient, portion: 3)
        #expect(try read(file, with: identity, portion: 1) == Array("drop by drop".utf8))
    }

    @Test func anyLengthButTheWholeIsRefused() throws {
        let identity = try X25519Identity.generate()
        let file = try streamed([UInt8](repeating: 9, count: 70_000), to: identity.recipient, portion: 70_000)
        let lengths = Array(0..<400) + Array(65_700..<65_900) + Array(file.count - 40..<file.count)
        for length in lengths {
            #expect(throws: AgeError.self, "length \(length)") {
                _ = try read(Array(file[..<length]), with: identity, portion: 100_000)
            }
        }
        #expect(throws: AgeError.self) { _ = try read(file + [0], with: identity, portion: 100_000) }
    }

    @Test func chunksDoNotChangePlaces() throws {
        let identity = try X25519Identity.generate()
        let file = try streamed([UInt8](repeating: 9, count: 3 * 65_536), to: identity.recipient, portion: 70_000)
        let whole = 65_536 + 16
        let payload = file.count - 3 * whole
        let (head, chunks) = (file[..<payload], (0..<3).map { file[payload + $0 * whole..<payload + ($0 + 1) * whole] })
        for order in [[1, 0, 2], [0, 2], [0, 1], [0, 1, 1, 2], [0, 1, 2, 2]] {
            let mixed = order.reduce(into: Array(head)) { $0 += chunks[$1] }
            #expect(throws: AgeError.self, "\(order)") { _ = try read(mixed, with: identity, portion: 100_000) }
        }
    }

    @Test func whoFailsToWriteIsHeard() throws {
        struct Full: Error {}
        let identity = try X25519Identity.generate()
        var room = 70_000
        let writer = try AgeWriter(to: [identity.recipient]) { bytes in
            room -= bytes.count
            if room < 0 { throw Full() }
        }
        let plaintext = [UInt8](repeating: 1, count: 200_000)
        #expect(throws: Full.self) { try plaintext.withUnsafeBytes { try writer.write($0) } }
    }

    private func streamed(_ plaintext: [UInt8], to recipient: X25519Recipient, portion: Int) throws -> [UInt8] {
        var file: [UInt8] = []
        let writer = try AgeWriter(to: [recipient]) { file += Array($0) }
        for start in stride(from: 0, to: plaintext.count, by: portion) {
            try plaintext[start..<min(start + portion, plaintext.count)].withUnsafeBytes { try writer.write($0) }
        }
        try writer.finish()
        return file
    }

    private func read(_ file: [UInt8], with identity: X25519Identity, portion: Int) throws -> [UInt8] {
        var offset = 0
        let reader = try AgeReader(for: [identity]) { buffer in
            let count = min(portion, buffer.count, file.count - offset)
            buffer.copyBytes(from: file[offset..<offset + count])
            offset += count
            return count
        }
        var plaintext: [UInt8] = []
        while let chunk = try reader.next() { plaintext += chunk.withUnsafeSecretBytes { Array($0) } }
        return plaintext
    }
}

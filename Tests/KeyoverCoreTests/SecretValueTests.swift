import Glibc
import KeyoverCore
import Testing

@Suite struct SecretValueTests {
    @Test func nothingShowsTheBytes() {
        let secret = SecretValue(copying: "hush-1234".utf8)
        var dumped = ""
        dump(secret, to: &dumped)
        dump(["key": secret], to: &dumped)
        for text in ["\(secret)", String(describing: secret), String(reflecting: secret), "\([secret])", dumped] {
            #expect(!text.contains("hush") && !text.contains("1234") && !text.contains("0x"), "\(text)")
        }
        #expect("\(secret)" == "<redacted>")
        #expect(Mirror(reflecting: secret).children.isEmpty)
    }

    @Test func recordsDoNotShowThemEither() {
        let slot = Slot(
            clientID: "id", value: SecretValue(copying: "hush-1234".utf8),
            fingerprint: Fingerprint(bytes: [0xAB, 0xCD]), storedAt: Timestamp(millisecondsSinceEpoch: 0))
        var dumped = "\(slot)"
        dump(slot, to: &dumped)
        #expect(!dumped.contains("hush"))
        #expect(!"\(slot.fingerprint)".contains("abcd"))
    }

    @Test func valuesAreEqualWhenTheirBytesAre() {
        #expect(SecretValue(copying: [1, 2, 3]) == SecretValue(copying: [1, 2, 3]))
        #expect(SecretValue(copying: [1, 2, 3]) != SecretValue(copying: [1, 2, 4]))
        #expect(SecretValue(copying: [1, 2, 3]) != SecretValue(copying: [1, 2]))
        #expect(SecretValue(copying: []) == SecretValue(copying: []))
    }

    @Test func aConsumedArrayIsWipedWhereItLay() {
        var bytes = [UInt8](repeating: 0xAA, count: 64)
        bytes.withUnsafeMutableBytes { buffer in
            // The storage outlives the call because this closure holds it.
            let copy = SecretValue(copying: buffer)
            #expect(copy.count == 64)
        }
        let secret = SecretValue(consuming: &bytes)
        #expect(bytes.isEmpty)
        #expect(secret == SecretValue(copying: [UInt8](repeating: 0xAA, count: 64)))
    }

    @Test func memoryIsZeroedWhenTheLastCopyGoes() {
        var address: UnsafeRawPointer?
        do {
            let secret = SecretValue(copying: [UInt8](repeating: 0x5A, count: 48))
            let copy = secret
            copy.withUnsafeSecretBytes { address = $0.baseAddress }
            withExtendedLifetime((secret, copy)) {}
        }
        // The slab stays mapped, so looking at a returned place is no fault; another test may have taken it over.
        let seen = address.map { UnsafeRawBufferPointer(start: $0, count: 48).filter { $0 == 0x5A }.count }
        #expect(seen != 48)
    }

    @Test func manyValuesOfManySizesComeBackWhole() {
        var generator = SystemRandomNumberGenerator()
        var held: [(SecretValue, UInt8, Int)] = []
        for round in 0..<4000 {
            let count = [0, 1, 31, 32, 33, 100, 4096].randomElement(using: &generator) ?? 0
            let byte = UInt8(truncatingIfNeeded: round)
            held.append((SecretValue(copying: [UInt8](repeating: byte, count: count)), byte, count))
            if held.count > 200 { held.remove(at: Int.random(in: 0..<held.count, using: &generator)) }
        }
        for (secret, byte, count) in held {
            #expect(secret.count == count)
            #expect(secret.withUnsafeSecretBytes { $0.allSatisfy { $0 == byte } })
        }
    }

    @Test func aValueLargerThanTheSlabIsKeptToo() {
        let secret = SecretValue(count: 6 << 20) { $0.initializeMemory(as: UInt8.self, repeating: 9) }
        #expect(secret.withUnsafeSecretBytes { $0.allSatisfy { $0 == 9 } })
        #expect(SecretValue(count: 5 << 20) { _ in }.withUnsafeSecretBytes { $0.allSatisfy { $0 == 0 } })
    }

    @Test func valuesMayBeMadeAndDroppedByManyTasksAtOnce() async {
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<8 {
                group.addTask {
                    (0..<500).allSatisfy { round in
                        let byte = UInt8(truncatingIfNeeded: task &* 31 &+ round)
                        let secret = SecretValue(copying: [UInt8](repeating: byte, count: round % 90))
                        return secret.withUnsafeSecretBytes { $0.allSatisfy { $0 == byte } }
                    }
                }
            }
            for await isWhole in group { #expect(isWhole) }
        }
    }
}

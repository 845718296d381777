import KeyoverVaults
import Testing

/// Every byte of every file of a vault, changed; every length of every file, cut to.
///
/// Whatever somebody does who can write the files but has no key: `get` answers what it would have answered, or refuses.
/// How much has to be noticed at least is asserted too, so that this cannot become a test of nothing.
@Suite(.serialized) struct EveryByteTests {
    @Test func everyByteOfTheDatabase() async throws {
        let specimen = try await Specimen.small.value
        let tally = try await flips(of: VaultImage.database, specimen, specimen.today)
        #expect(tally.count == specimen.today[VaultImage.database].count)
        #expect(tally.percentNoticed >= 50, "the rest are bytes of pages that nothing lies in")
    }

    @Test func everyByteOfTheLog() async throws {
        let specimen = try await Specimen.small.value
        let tally = try await flips(of: VaultImage.log, specimen, specimen.running)
        #expect(tally.count == specimen.running[VaultImage.log].count)
        #expect(tally.percentNoticed >= 99)
    }

    @Test func everyByteOfTheKeyFile() async throws {
        let specimen = try await Specimen.small.value
        let tally = try await flips(of: VaultImage.key, specimen, specimen.today)
        #expect(tally.percentNoticed >= 99)
    }

    @Test func aSampleOfAVaultWithPagesOfTheUsualSize() async throws {
        let specimen = try await Specimen.usual.value
        for (name, image) in [(VaultImage.database, specimen.today), (VaultImage.log, specimen.running)] {
            let positions = Array(stride(from: 0, to: image[name].count, by: 89))
            let tally = try await Tally.of("flips in a usual \(name)", positions, on: specimen) { victim, position in
                var harmed = image
                harmed[name][position] ^= 1 << UInt8(position % 8)
                return try await victim.examine(harmed, "byte \(position) of the usual \(name) was flipped")
            }
            #expect(tally.percentNoticed >= 10, "most bytes of large pages lie in nothing")
        }
    }

    /// One bit of each byte, the next one each time.
    private func flips(
        of name: String, _ specimen: Specimen, _ image: VaultImage
    ) async throws -> Tally {
        try await Tally.of("flips in \(name)", image[name].indices, on: specimen) { victim, position in
            var harmed = image
            harmed[name][position] ^= 1 << UInt8(position % 8)
            return try await victim.examine(harmed, "bit \(position % 8) of byte \(position) of \(name) was flipped")
        }
    }

    @Test func everyLengthOfTheDatabase() async throws {
        let specimen = try await Specimen.small.value
        let tally = try await cuts(of: VaultImage.database, specimen, specimen.today)
        #expect(tally.percentNoticed >= 99)
    }

    @Test func everyLengthOfTheLog() async throws {
        let specimen = try await Specimen.small.value
        let tally = try await cuts(of: VaultImage.log, specimen, specimen.running)
        #expect(tally.percentNoticed >= 99)
    }

    @Test func everyLengthOfTheKeyFile() async throws {
        let specimen = try await Specimen.small.value
        let tally = try await cuts(of: VaultImage.key, specimen, specimen.today)
        #expect(tally.percentNoticed >= 99)
    }

    private func cuts(
        of name: String, _ specimen: Specimen, _ image: VaultImage
    ) async throws -> Tally {
        try await Tally.of("cuts of \(name)", image[name].indices, on: specimen) { victim, length in
            var harmed = image
            harmed[name].removeSubrange(length...)
            return try await victim.examine(harmed, "\(name) was cut to \(length) bytes")
        }
    }
}

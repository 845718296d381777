import KeyoverCore
import Testing

@Suite struct NameTests {
    @Test(arguments: [
        "a", "A", "0", "billing-sync", "a.b_c-d", "a.b.c", "x.", "a-", "AUX", String(repeating: "x", count: 128),
    ]) func namesThatPeopleTypeAreTaken(text: String) {
        #expect(ClientName(text)?.description == text)
    }

    @Test(arguments: [
        "", ".", "..", ".a", "-a", "_a", "a..b", "a/b", "../a", "a b", " a", "a ", "a%2e", "a\n", "a\0", "ä",
        "a\u{301}",
        "a:b", "a\\b", "a'b", "a*", "~a", String(repeating: "x", count: 129), "а",
    ]) func namesThatCouldMeanSomethingElseAreNot(text: String) {
        #expect(ClientName(text) == nil)
    }

    @Test func namesAreOrderedByTheirBytes() throws {
        let names = try ["b", "A", "a", "B", "a.b", "a-b", "10", "9"].map { try #require(ClientName($0)) }
        #expect(names.sorted().map(\.description) == ["10", "9", "A", "B", "a", "a-b", "a.b", "b"])
    }
}

@Suite struct UUIDv7Tests {
    @Test func idsCarryTheirMomentVersionAndVariant() throws {
        var generator = SystemRandomNumberGenerator()
        let moment = try #require(Timestamp("2026-11-21T04:45:34.123Z"))
        let id = UUIDv7(at: moment, using: &generator)
        let milliseconds = id.bytes[..<6].reduce(Int64(0)) { $0 << 8 | Int64($1) }
        #expect(milliseconds == moment.millisecondsSinceEpoch)
        #expect(id.bytes[6] >> 4 == 7)
        #expect(id.bytes[8] >> 6 == 0b10)
        #expect(UUIDv7("\(id)") == id)
        #expect(UUIDv7(bytes: id.bytes) == id)
        #expect(UUIDv7(bytes: id.bytes.dropLast()) == nil)
    }

    @Test func idsOfOneMomentDifferAndLaterOnesFollow() throws {
        var generator = SystemRandomNumberGenerator()
        let moment = Timestamp(millisecondsSinceEpoch: 1_795_236_334_123)
        let ids = (0..<1000).map { _ in UUIDv7(at: moment, using: &generator) }
        #expect(Set(ids).count == 1000)
        let later = UUIDv7(at: moment + .milliseconds(1), using: &generator)
        #expect(ids.allSatisfy { $0 < later })
    }

    @Test(arguments: [
        "", "x", "01a1fc6c-8a2b-7c1b-8ec5", "01a1fc6c8a2b7c1b8ec5f07fa2c9a423", "01a1fc6c-8a2b-7c1b-8ec5-f07fa2c9a42g",
        "{01a1fc6c-8a2b-7c1b-8ec5-f07fa2c9a423}", "01a1fc6c-8a2b-7c1b-8ec5-f07fa2c9a423 ",
        "01a1fc6-c8a2b-7c1b-8ec5-f07fa2c9a4231",
    ]) func whatIsNoUUIDIsNot(text: String) {
        #expect(UUIDv7(text) == nil)
    }

    @Test func hexadecimalIsReadInEitherCaseAndWrittenInLower() {
        #expect(Hex.encode([0x00, 0xAB, 0xFF]) == "00abff")
        #expect(Hex.decode("00aBFf") == [0x00, 0xAB, 0xFF])
        for text in ["0", "0g", " 0", "0x00", "０0"] { #expect(Hex.decode(text) == nil) }
    }
}

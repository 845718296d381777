import FoundationEssentials
import KeyoverCore
import Testing

@Suite struct TimeSpanTests {
    @Test(arguments: [
        ("90d", 7_776_000_000), ("12h", 43_200_000), ("10m", 600_000), ("30s", 30_000), ("500ms", 500), ("0s", 0),
        ("1500ms", 1500), ("007s", 7000),
    ]) func spansAreRead(text: String, milliseconds: Int64) {
        #expect(TimeSpan(text) == TimeSpan(milliseconds: milliseconds))
    }

    @Test(arguments: [
        "", "d", "1", "1 d", "-1d", "1.5h", "1D", "1w", "1d2h", "+1s", "٣s", "9223372036854775807d", "1ms ",
    ])
    func anythingElseIsNot(text: String) {
        #expect(TimeSpan(text) == nil)
    }

    @Test func whatIsWrittenIsReadAsTheSame() {
        var generator = SystemRandomNumberGenerator()
        let chosen: [Int64] = [0, 1, 999, 1000, 59_999, 60_000, 86_400_000, 90 * 86_400_000, .max]
        for milliseconds in chosen + (0..<500).map({ _ in Int64.random(in: 0...(.max), using: &generator) }) {
            let span = TimeSpan(milliseconds: milliseconds)
            #expect(TimeSpan("\(span)") == span)
        }
    }

    @Test func theShortestExactUnitIsWritten() {
        #expect("\(TimeSpan.days(90))" == "90d")
        #expect("\(TimeSpan.hours(25))" == "25h")
        #expect("\(TimeSpan.seconds(90))" == "90s")
        #expect("\(TimeSpan.zero)" == "0s")
        #expect(TimeSpan.hours(51).rounded == "2d 3h")
        #expect(TimeSpan.seconds(45).rounded == "45s")
        #expect(TimeSpan.hours(-51).rounded == "-2d 3h")
        #expect(TimeSpan(milliseconds: .min).rounded == "-106751991167d 7h")
    }

    @Test func sumsSaturateInsteadOfTrapping() {
        let (most, least) = (TimeSpan(milliseconds: .max), TimeSpan(milliseconds: .min))
        #expect(most + .days(1) == most)
        #expect(least - .days(1) == least)
        #expect(least + least == least)
        #expect(most - least == most)
        #expect(.days(1) - .days(2) == TimeSpan(milliseconds: -86_400_000))
    }
}

@Suite struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:00:00Z", 951_825_600_000), ("2026-11-21", 1_795_219_200_000),
        ("2026-11-21T04:45:34.123Z", 1_795_236_334_123), ("2038-01-19T03:14:08Z", 2_147_483_648_000),
        ("1969-12-31T23:59:59.999Z", -1), ("2026-11-21T06:45:34+02:00", 1_795_236_334_000),
        ("2026-11-20T22:45:34-06:00", 1_795_236_334_000), ("1600-02-29", -11_670_998_400_000),
        ("2100-02-28", 4_107_456_000_000), ("2026-11-21t04:45:34z", 1_795_236_334_000),
        ("2026-11-21T04:45:34.123456789Z", 1_795_236_334_123), ("2026-11-21T04:45:34.1Z", 1_795_236_334_100),
    ]) func knownMomentsAreRead(text: String, milliseconds: Int64) {
        #expect(Timestamp(text) == Timestamp(millisecondsSinceEpoch: milliseconds))
    }

    @Test(arguments: [
        "", "2026", "2026-13-01", "2026-00-01", "2026-02-29", "2100-02-29", "1900-02-29", "2026-04-31", "2026-11-21T",
        "2026-11-21T04:45", "2026-11-21T24:00:00Z", "2026-11-21T04:60:00Z", "2026-11-21T04:45:34", "26-11-21",
        "2026-11-21T04:45:34.Z", "2026-11-21T04:45:34+2:00", "2026-11-21T04:45:34+24:00", "2026-11-21T04:45:34ZZ",
        "2026-11-21T04:45:34.1234567890Z", " 2026-11-21", "2026-1-21", "+026-11-21",
    ]) func whatIsNoDateIsNot(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test(arguments: [
        "9999-12-31T23:59:60Z", "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01", "2026-11-21T04:45:34+0+:00",
        "2026-11-21T04:45:34+01:-0",
    ])
    func whatCouldNotBeWrittenAgainIsNotRead(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test(arguments: [Int64.min, -62_167_219_200_001, 253_402_300_800_000, .max])
    func aMomentOutsideOfTheCalendarIsStoredAsTheNearestInIt(milliseconds: Int64) throws {
        let moment = Timestamp(millisecondsSinceEpoch: milliseconds)
        let stored = try JSONDecoder().decode([Timestamp].self, from: JSONEncoder().encode([moment]))
        #expect(
            stored.map(\.description) == [milliseconds < 0 ? "0000-01-01T00:00:00.000Z" : "9999-12-31T23:59:59.999Z"])
    }

    @Test func everyDayOfEightCenturiesIsCountedOnce() {
        var (year, month, day): (Int, Int, Int) = (1601, 1, 1)
        var expected = Int64(-11_644_473_600_000)
        while year < 2401 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let length = month == 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
            let moment = Timestamp(millisecondsSinceEpoch: expected)
            let text = "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
            if moment.day != text || Timestamp(text) != moment {
                Issue.record("\(text) is \(moment.day)")
                return
            }
            expected += 86_400_000
            day += 1
            if day > length { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
    }

    @Test func whatIsWrittenIsReadAsTheSame() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            // The years 0 to 9999, which RFC 3339 can write.
            let moment = Timestamp(
                millisecondsSinceEpoch: .random(in: -62_167_219_200_000...253_402_300_799_999, using: &generator))
            #expect(Timestamp("\(moment)") == moment)
            #expect("\(moment)".utf8.count == 24)
        }
    }
}

@Suite struct ClockReadingTests {
    private func reading(wall: Int64, boot: Int64, id: String = "boot-1") -> ClockReading {
        ClockReading(
            wall: Timestamp(millisecondsSinceEpoch: wall), sinceBoot: .milliseconds(boot), bootID: id)
    }

    @Test func withinOneBootAJumpingWallClockShortensNoWaitAndLengthensNoDeadline() {
        let start = reading(wall: 1_000_000, boot: 1000)
        let forward = reading(wall: 9_000_000, boot: 2000)
        #expect(forward.elapsedAtLeast(since: start) == .milliseconds(1000))
        #expect(forward.elapsedAtMost(since: start) == .milliseconds(8_000_000))
        let backward = reading(wall: 500_000, boot: 3000)
        #expect(backward.elapsedAtLeast(since: start) == .milliseconds(2000))
        #expect(backward.elapsedAtMost(since: start) == .milliseconds(2000))
    }

    @Test func acrossBootsTheWallClocksMayBeApart() {
        let start = reading(wall: 10_000_000, boot: 900_000)
        let later = reading(wall: 10_300_000, boot: 5000, id: "boot-2")
        #expect(later.elapsedAtLeast(since: start) == .minutes(5) - ClockReading.hostSkew)
        #expect(later.elapsedAtMost(since: start) == .minutes(5) + ClockReading.hostSkew)
        let earlier = reading(wall: 9_000_000, boot: 5000, id: "boot-2")
        #expect(earlier.elapsedAtLeast(since: start) == .zero)
        #expect(earlier.elapsedAtMost(since: start) == ClockReading.hostSkew)
    }

    @Test func whatRemainsIsNeverNegative() {
        let start = reading(wall: 0, boot: 0)
        #expect(start.remaining(of: .seconds(10), at: reading(wall: 4000, boot: 4000)) == .seconds(6))
        #expect(start.remaining(of: .seconds(10), at: reading(wall: 99_000, boot: 99_000)) == .zero)
    }
}

/// A moment of wall-clock time, in milliseconds since 1970-01-01T00:00:00Z, read and written as RFC 3339 in UTC.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Milliseconds since the Unix epoch, leap seconds not counted.
    public var millisecondsSinceEpoch: Int64

    /// The moment so many milliseconds after the Unix epoch.
    public init(millisecondsSinceEpoch: Int64) {
        self.millisecondsSinceEpoch = millisecondsSinceEpoch
    }

    /// The moment a span later, saturating.
    public static func + (left: Self, right: TimeSpan) -> Self {
        Self(millisecondsSinceEpoch: (TimeSpan(milliseconds: left.millisecondsSinceEpoch) + right).milliseconds)
    }

    /// The moment a span earlier, saturating.
    public static func - (left: Self, right: TimeSpan) -> Self {
        Self(millisecondsSinceEpoch: (TimeSpan(milliseconds: left.millisecondsSinceEpoch) - right).milliseconds)
    }

    /// The span from the right moment to the left one.
    public static func - (left: Self, right: Self) -> TimeSpan {
        TimeSpan(milliseconds: left.millisecondsSinceEpoch) - TimeSpan(milliseconds: right.millisecondsSinceEpoch)
    }

    /// Orders moments, earlier first.
    public static func < (left: Self, right: Self) -> Bool {
        left.millisecondsSinceEpoch < right.millisecondsSinceEpoch
    }
}

extension Timestamp: LosslessStringConvertible {
    /// Reads an RFC 3339 date (`2026-11-21`, midnight UTC) or date-time with `Z` or a numeric offset.
    public init?(_ description: String) {
        let bytes = Array(description.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count, bytes[range].allSatisfy({ (48...57).contains($0) }) else {
                return nil
            }
            return bytes[range].reduce(0) { $0 * 10 + Int64($1 - 48) }
        }
        func byte(_ index: Int, is character: Unicode.Scalar) -> Bool {
            index < bytes.count && bytes[index] == UInt8(ascii: character)
        }
        guard let year = number(0..<4), byte(4, is: "-"), let month = number(5..<7), byte(7, is: "-"),
            let day = number(8..<10), (1...12).contains(month),
            (1...Self.daysIn(month: month, year: year)).contains(day)
        else { return nil }
        let midnight = Self.days(year: year, month: month, day: day) * 86_400_000
        guard bytes.count > 10 else {
            self.init(millisecondsSinceEpoch: midnight)
            return
        }
        guard byte(10, is: "T") || byte(10, is: "t") || byte(10, is: " "), let hour = number(11..<13),
            byte(13, is: ":"), let minute = number(14..<16), byte(16, is: ":"), let second = number(17..<19),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        var cursor = 19
        var fraction: Int64 = 0
        if byte(cursor, is: ".") {
            let digits = bytes[(cursor + 1)...].prefix { (48...57).contains($0) }
            guard (1...9).contains(digits.count) else { return nil }
            let padded = (Array(digits) + [48, 48, 48]).prefix(3)
            fraction = padded.reduce(0) { $0 * 10 + Int64($1 - 48) }
            cursor += 1 + digits.count
        }
        guard let offset = Self.offset(bytes[cursor...]) else { return nil }
        let seconds = hour * 3600 + minute * 60 + second - offset * 60
        self.init(millisecondsSinceEpoch: midnight + seconds * 1000 + fraction)
        // An offset, or a leap second, can lead into a year that has no four digits.
        guard self == representable else { return nil }
    }

    /// The nearest moment in the years 0000 to 9999, which are all that RFC 3339 can write.
    private var representable: Timestamp {
        let (first, last): (Int64, Int64) = (-62_167_219_200_000, 253_402_300_799_999)
        return Timestamp(millisecondsSinceEpoch: min(max(millisecondsSinceEpoch, first), last))
    }

    /// The moment as `2026-11-21T04:45:34.123Z`.
    public var description: String {
        let (days, rest) = Self.floorDivide(millisecondsSinceEpoch, 86_400_000)
        let (year, month, day) = Self.civil(days: days)
        func pad(_ value: Int64, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60)
        let (second, fraction) = (rest / 1000 % 60, rest % 1000)
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(hour, 2)):\(pad(minute, 2)):\(pad(second, 2))"
            + ".\(pad(fraction, 3))Z"
    }

    /// The day alone, as `2026-11-21`.
    public var day: String { String(description.prefix(10)) }

    private static func offset(_ bytes: ArraySlice<UInt8>) -> Int64? {
        let text = String(decoding: bytes, as: UTF8.self)
        if text == "Z" || text == "z" { return 0 }
        let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard let sign = text.first, sign == "+" || sign == "-", parts.count == 2,
            parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let hours = Int64(parts[0]), let minutes = Int64(parts[1]), (0..<24).contains(hours),
            (0..<60).contains(minutes)
        else { return nil }
        return (sign == "-" ? -1 : 1) * (hours * 60 + minutes)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func daysIn(month: Int64, year: Int64) -> Int64 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return switch month {
        case 2: leap ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // The proleptic Gregorian calendar counted in eras of 400 years that begin on 1 March, so that the leap day comes
    // last and needs no special case.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let (era, yearOfEra) = floorDivide(month <= 2 ? year - 1 : year, 400)
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}

extension Timestamp: Codable {
    /// Reads RFC 3339.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Timestamp(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an RFC 3339 time")
        }
        self = value
    }

    /// Writes RFC 3339; a moment outside of the years 0000 to 9999 as the nearest in them, so that it can be read again.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(representable.description)
    }
}

import Glibc

/// A moment of the sandbox's clock, in milliseconds since 1970 UTC.
public struct SandboxInstant: Comparable, Hashable, Sendable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public var milliseconds: Int64

    /// Creates the moment that lies this many milliseconds after 1970.
    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// The machine's wall clock, which is what the sandbox runs on unless a test drives it.
    public static var now: Self {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Self(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// The moment this many milliseconds later.
    public func advanced(byMilliseconds offset: Int64) -> Self {
        Self(milliseconds: milliseconds + offset)
    }

    /// The moment this many seconds later.
    public func advanced(bySeconds offset: Int) -> Self {
        advanced(byMilliseconds: Int64(offset) * 1000)
    }

    /// Orders moments by time.
    public static func < (left: Self, right: Self) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// Whole seconds since 1970, as token introspection writes times.
    var seconds: Int64 {
        milliseconds.quotientFlooring(1000)
    }

    private var brokenDown: tm {
        var seconds = time_t(self.seconds)
        var fields = tm()
        gmtime_r(&seconds, &fields)
        return fields
    }
}

extension SandboxInstant: CustomStringConvertible {
    /// RFC 3339 with milliseconds, as the admin interface writes times.
    public var description: String {
        let fields = brokenDown
        let date = "\(fields.tm_year + 1900)-\(padded(fields.tm_mon + 1))-\(padded(fields.tm_mday))"
        let time = "\(padded(fields.tm_hour)):\(padded(fields.tm_min)):\(padded(fields.tm_sec))"
        return "\(date)T\(time).\(padded(Int32(milliseconds - seconds * 1000), to: 3))Z"
    }

    /// The form of the `Date` and `Retry-After` headers (RFC 9110, section 5.6.7).
    var httpDate: String {
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let fields = brokenDown
        let date = "\(padded(fields.tm_mday)) \(months[Int(fields.tm_mon)]) \(fields.tm_year + 1900)"
        let time = "\(padded(fields.tm_hour)):\(padded(fields.tm_min)):\(padded(fields.tm_sec))"
        return "\(days[Int(fields.tm_wday)]), \(date) \(time) GMT"
    }
}

extension SandboxInstant {
    /// Reads RFC 3339 in UTC, with or without a fraction; nil for anything else.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z") || bytes.last == UInt8(ascii: "z") else { return nil }
        let separators: [(Int, String)] = [(4, "-"), (7, "-"), (10, "Tt"), (13, ":"), (16, ":")]
        guard separators.allSatisfy({ $0.1.utf8.contains(bytes[$0.0]) }) else { return nil }
        let spans = [0..<4, 5..<7, 8..<10, 11..<13, 14..<16, 17..<19]
        let numbers = spans.compactMap { decimal(bytes[$0]) }
        guard numbers.count == spans.count, let fraction = Self.fraction(bytes[19..<(bytes.count - 1)]) else {
            return nil
        }

        var fields = tm()
        fields.tm_year = numbers[0] - 1900
        fields.tm_mon = numbers[1] - 1
        fields.tm_mday = numbers[2]
        fields.tm_hour = numbers[3]
        fields.tm_min = numbers[4]
        fields.tm_sec = numbers[5]
        let seconds = timegm(&fields)
        // timegm carries the 30th of February over into March instead of refusing it.
        let unchanged = [fields.tm_mon + 1, fields.tm_mday, fields.tm_hour, fields.tm_min, fields.tm_sec]
        guard unchanged == Array(numbers[1...]) else { return nil }
        self.init(milliseconds: Int64(seconds) * 1000 + Int64(fraction))
    }

    private static func fraction(_ bytes: ArraySlice<UInt8>) -> Int32? {
        guard let point = bytes.first else { return 0 }
        let digits = bytes.dropFirst()
        guard point == UInt8(ascii: "."), (1...9).contains(digits.count), decimal(digits) != nil else { return nil }
        let milliseconds =
            Array(digits.prefix(3)) + Array(repeating: UInt8(ascii: "0"), count: max(0, 3 - digits.count))
        return decimal(milliseconds[...])
    }
}

extension SandboxInstant: Codable {
    /// Reads the RFC 3339 text that ``description`` writes.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let instant = Self(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "a time is RFC 3339 in UTC")
        }
        self = instant
    }

    /// Writes RFC 3339 text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

private func decimal(_ digits: ArraySlice<UInt8>) -> Int32? {
    var value: Int32 = 0
    for digit in digits {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
        value = value * 10 + Int32(digit - UInt8(ascii: "0"))
    }
    return value
}

private func padded(_ number: Int32, to width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

extension Int64 {
    fileprivate func quotientFlooring(_ divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

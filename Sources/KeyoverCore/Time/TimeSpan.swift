/// A length of time in whole milliseconds; negative when it points into the past.
///
/// Written by people as `90d`, `12h`, `10m`, `30s` or `500ms`; stored in records as a number of milliseconds.
public struct TimeSpan: Hashable, Comparable, Sendable {
    /// The length in milliseconds.
    public var milliseconds: Int64

    /// A span of so many milliseconds.
    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// No time at all.
    public static let zero = TimeSpan(milliseconds: 0)
    /// A span of so many milliseconds.
    public static func milliseconds(_ count: Int64) -> Self { Self(milliseconds: count) }
    /// A span of so many seconds.
    public static func seconds(_ count: Int64) -> Self { Self(milliseconds: count * 1000) }
    /// A span of so many minutes.
    public static func minutes(_ count: Int64) -> Self { .seconds(count * 60) }
    /// A span of so many hours.
    public static func hours(_ count: Int64) -> Self { .minutes(count * 60) }
    /// A span of so many days of 24 hours.
    public static func days(_ count: Int64) -> Self { .hours(count * 24) }

    /// The same length for the standard library's clocks.
    public var duration: Duration { .milliseconds(milliseconds) }

    /// The sum, saturating at the largest span instead of overflowing.
    public static func + (left: Self, right: Self) -> Self {
        let (sum, overflow) = left.milliseconds.addingReportingOverflow(right.milliseconds)
        return Self(milliseconds: overflow ? (left.milliseconds < 0 ? .min : .max) : sum)
    }

    /// The difference, saturating at the ends of the range.
    public static func - (left: Self, right: Self) -> Self {
        let (difference, overflow) = left.milliseconds.subtractingReportingOverflow(right.milliseconds)
        return Self(milliseconds: overflow ? (left.milliseconds < 0 ? .min : .max) : difference)
    }

    /// The span so many times over, saturating.
    public static func * (left: Self, right: Int64) -> Self {
        let (product, overflow) = left.milliseconds.multipliedReportingOverflow(by: right)
        return Self(milliseconds: overflow ? .max : product)
    }

    /// Orders spans by length.
    public static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }
}

extension TimeSpan: LosslessStringConvertible {
    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// Reads `90d`, `12h`, `10m`, `30s` or `500ms`; `nil` for anything else, negative numbers and overflow.
    public init?(_ description: String) {
        let digits = description.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int64(digits) else { return nil }
        let suffix = description.dropFirst(digits.count)
        guard let unit = Self.units.first(where: { $0.suffix == suffix }) else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: unit.milliseconds)
        guard !overflow else { return nil }
        milliseconds = product
    }

    /// The shortest exact form, such as `90d` or `1500ms`.
    public var description: String {
        guard milliseconds != 0 else { return "0s" }
        let unit = Self.units.first { milliseconds % $0.milliseconds == 0 }
        return unit.map { "\(milliseconds / $0.milliseconds)\($0.suffix)" } ?? "\(milliseconds)ms"
    }

    /// A rounded form for people, such as `2d 3h` or `45s`.
    public var rounded: String {
        let magnitude = milliseconds.magnitude
        guard let index = Self.units.firstIndex(where: { magnitude >= $0.milliseconds }), index < 3 else {
            return magnitude >= 1000 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
        }
        let (unit, next) = (Self.units[index], Self.units[index + 1])
        let (whole, rest) = (
            milliseconds / unit.milliseconds, magnitude % UInt64(unit.milliseconds) / UInt64(next.milliseconds)
        )
        return rest == 0 ? "\(whole)\(unit.suffix)" : "\(whole)\(unit.suffix) \(rest)\(next.suffix)"
    }
}

extension TimeSpan: Codable {
    /// Reads a number of milliseconds.
    public init(from decoder: any Decoder) throws {
        milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    /// Writes a number of milliseconds.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(milliseconds)
    }
}

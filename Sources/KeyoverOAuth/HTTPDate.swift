import KeyoverCore

/// Times as HTTP writes them (RFC 9110 section 5.6.7).
enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Reads `Sun, 06 Nov 1994 08:49:37 GMT` and the two obsolete forms, which recipients must know as well.
    ///
    /// The name of the day is not checked: it adds nothing, and some servers get it wrong.
    static func parse(_ text: String) -> Timestamp? {
        let words = text.split { $0 == " " || $0 == "," }
        switch words.count {
        case 6 where words[5] == "GMT" || words[5] == "UTC":
            return timestamp(day: words[1], month: words[2], year: words[3], time: words[4])
        case 5:
            return timestamp(day: words[2], month: words[1], year: words[4], time: words[3])
        case 4 where words[3] == "GMT":
            let date = words[1].split(separator: "-", omittingEmptySubsequences: false)
            guard date.count == 3, date[2].utf8.count == 2, let short = Int(date[2]), date[2].first != "+" else {
                return nil
            }
            // Two digits mean the century that is nearer, as RFC 9110 asks; this side of 2070 that is a fixed rule.
            let year = short < 70 ? 2000 + short : 1900 + short
            return timestamp(day: date[0], month: date[1], year: "\(year)", time: words[2])
        default:
            return nil
        }
    }

    private static func timestamp(
        day: Substring, month: Substring, year: Substring, time: Substring
    ) -> Timestamp? {
        guard (1...2).contains(day.count), year.count == 4, time.count == 8,
            let number = months.firstIndex(of: String(month))
        else { return nil }
        return Timestamp("\(year)-\(twoDigits("\(number + 1)"))-\(twoDigits(day))T\(time)Z")
    }

    private static func twoDigits(_ text: Substring) -> Substring {
        text.count == 1 ? "0" + text : text
    }
}
